import { effect } from "@preact/signals";
import { Map as MapLibre, Marker, NavigationControl, setWorkerUrl, type GeoJSONSource } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api.ts";
import { district, say, told } from "../desk.ts";
import { lang, t } from "../i18n.ts";
import { LABELS, nameIn, styleOf } from "../map/style.ts";
import { theme } from "../theme.ts";

setWorkerUrl(workerUrl);

export const LAYERS = ["boundary", "water", "green", "streets", "places"] as const;
type Spot = [number, number];

const fetched = new Map<string, Promise<GeoJSON.FeatureCollection>>();

/** A layer of the map, which does not change while the district is open. */
export function layerOf(name: string): Promise<GeoJSON.FeatureCollection> {
  const asked = fetched.get(name) ?? api.layer(name);
  fetched.set(name, asked);
  asked.catch(() => fetched.delete(name));
  return asked;
}

/** A small map with one spot. Where it may be picked, a click moves it; the fields beside it do the same by keyboard. */
export function SpotMap({ at, pick }: { at: Spot | null; pick: ((at: Spot) => void) | null }) {
  const box = useRef<HTMLDivElement>(null);
  const stood = useRef<Stood | null>(null);
  const picked = useRef(pick);
  picked.current = pick;
  useEffect(() => {
    stood.current = stand(box.current!, at, (spot) => picked.current?.(spot));
    return () => stood.current?.end();
  }, []);
  useEffect(() => stood.current?.show(at), [at?.[0], at?.[1]]);
  return <div ref={box} class={`spot-map${pick ? " is-picked" : ""}`} role="application" aria-label={t("cases.small_map")} data-test="spot-map" />;
}

interface Stood {
  show(at: Spot | null): void;
  end(): void;
}

function stand(box: HTMLElement, at: Spot | null, pick: (at: Spot) => void): Stood {
  const opened = district.peek()!;
  const [west, south, east, north] = opened.bounds;
  const map = new MapLibre({
    container: box,
    style: styleOf(theme.peek(), lang.peek()),
    ...(at ? { center: at, zoom: 15.5 } : { bounds: [west, south, east, north], fitBoundsOptions: { padding: 12 } }),
    minZoom: 9,
    maxZoom: 19,
    attributionControl: opened.attribution ? { compact: true, customAttribution: document.createTextNode(opened.attribution).data } : false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  const marker = new Marker({ color: "#a34a00" });
  const show = (spot: Spot | null): void => {
    if (!spot) return void marker.remove();
    marker.setLngLat(spot).addTo(map);
    if (!map.getBounds().contains(spot)) map.jumpTo({ center: spot, zoom: Math.max(15, map.getZoom()) });
  };
  const dress = async (): Promise<void> => {
    const features = await Promise.all(LAYERS.map(layerOf));
    LAYERS.forEach((name, k) => (map.getSource(name) as GeoJSONSource | undefined)?.setData(features[k]!));
  };
  const dressed = (): void => void dress().catch((fault: unknown) => say(told(fault)));
  let shown = theme.peek();
  map.once("load", dressed);
  const endings = [
    effect(() => {
      if (theme.value === shown) return;
      shown = theme.value;
      map.setStyle(styleOf(theme.value, lang.peek()), { diff: false });
      map.once("style.load", dressed);
    }),
    effect(() => {
      const name = nameIn(lang.value);
      for (const layer of LABELS) if (map.getLayer(layer)) map.setLayoutProperty(layer, "text-field", name);
    }),
  ];
  map.on("click", ({ lngLat }) => pick([Number(lngLat.lng.toFixed(6)), Number(lngLat.lat.toFixed(6))]));
  show(at);
  Object.assign(box, { anlanMap: map }); // tests read the map's state through its element
  return {
    show,
    end() {
      for (const end of endings) end();
      map.remove();
    },
  };
}
