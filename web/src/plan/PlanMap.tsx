import { effect } from "@preact/signals";
import { Map as MapLibre, Marker, NavigationControl, type GeoJSONSource } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { LAYERS, layerOf } from "../cases/SpotMap.tsx";
import { district, say, told } from "../desk.ts";
import { lang, t } from "../i18n.ts";
import { LABELS, nameIn, styleOf } from "../map/style.ts";
import { theme } from "../theme.ts";
import type { Whole } from "./api.ts";

const NONE: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
export const KIND_COLOURS: Record<string, string> = { vehicle: "#d7301f", bicycle: "#31a354", foot: "#756bb1" };

interface Stood {
  show(whole: Whole, period: string): void;
  end(): void;
}

/** The plan on the streets: rings of the best vehicles, the posts of a period, and the vehicles by number. */
export function PlanMap({ whole, period }: { whole: Whole; period: string }) {
  const box = useRef<HTMLDivElement>(null);
  const stood = useRef<Stood | null>(null);
  useEffect(() => {
    stood.current = stand(box.current!);
    return () => stood.current?.end();
  }, []);
  useEffect(() => stood.current?.show(whole, period), [whole, period]);
  return <div ref={box} class="plan-map" role="application" aria-label={t("plan.map")} data-test="plan-map" />;
}

function stand(box: HTMLElement): Stood {
  const opened = district.peek()!;
  const [west, south, east, north] = opened.bounds;
  const map = new MapLibre({
    container: box,
    style: styleOf(theme.peek(), lang.peek()),
    bounds: [west, south, east, north],
    fitBoundsOptions: { padding: 12 },
    minZoom: 9,
    maxZoom: 19,
    attributionControl: opened.attribution ? { compact: true, customAttribution: document.createTextNode(opened.attribution).data } : false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  let rings = NONE;
  let posts = NONE;
  let markers: Marker[] = [];
  const draw = (): void => {
    if (!map.getSource("plan-posts")) return;
    (map.getSource("plan-rings") as GeoJSONSource).setData(rings);
    (map.getSource("plan-posts") as GeoJSONSource).setData(posts);
  };
  const dress = async (): Promise<void> => {
    map.addSource("plan-rings", { type: "geojson", data: rings });
    map.addSource("plan-posts", { type: "geojson", data: posts });
    const fill = ["match", ["get", "minutes"], 1, "#2171b5", 3, "#6baed6", "#9ecae1"] as never;
    map.addLayer({ id: "plan-rings", type: "fill", source: "plan-rings", paint: { "fill-color": fill, "fill-opacity": 0.28 } }, "street-names");
    const colour = ["match", ["get", "kind"], ...Object.entries(KIND_COLOURS).flat(), "#68737b"] as never;
    map.addLayer({
      id: "plan-posts",
      type: "circle",
      source: "plan-posts",
      paint: { "circle-color": colour, "circle-radius": ["+", 3, ["get", "units"]], "circle-stroke-color": "#ffffff", "circle-stroke-width": 1 },
    });
    const features = await Promise.all(LAYERS.map(layerOf));
    LAYERS.forEach((name, k) => (map.getSource(name) as GeoJSONSource | undefined)?.setData(features[k]!));
    draw();
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
  Object.assign(box, { anlanMap: map }); // tests read the map's state through its element
  return {
    show(whole, period) {
      const of = (what: string) => whole.geojson.features.filter((one) => one.properties?.["what"] === what);
      rings = { type: "FeatureCollection", features: of("ring") };
      posts = { type: "FeatureCollection", features: of("post").filter((one) => one.properties?.["period"] === period) };
      draw();
      for (const one of markers) one.remove();
      markers = whole.plan.vehicles.posts.map((spot, k) => {
        const element = document.createElement("span");
        element.className = "plan-vehicle";
        element.textContent = String(k + 1);
        element.title = spot.name;
        return new Marker({ element }).setLngLat([spot.lon, spot.lat]).addTo(map);
      });
    },
    end() {
      for (const end of endings) end();
      map.remove();
    },
  };
}
