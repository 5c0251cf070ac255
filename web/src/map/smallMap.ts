import { effect } from "@preact/signals";
import { Map as MapLibre, NavigationControl, setWorkerUrl, type GeoJSONSource } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { district, say, told } from "../desk.ts";
import { lang } from "../i18n.ts";
import { theme } from "../theme.ts";
import { layerOf } from "./layers.ts";
import { LABELLED, LABELS, labelled, nameIn, styleWith, type SourceName } from "./style.ts";

setWorkerUrl(workerUrl);

const LAYERS: readonly SourceName[] = ["boundary", "streets", "water", "green", "places"];
const SOURCES: readonly SourceName[] = [...LAYERS, "street-labels", "water-labels"]; // each costs its tiles, also an empty one

export interface SmallMap {
  map: MapLibre;
  /** Give a source of the style its features, now and after each change of theme. */
  put(name: SourceName, features: GeoJSON.FeatureCollection): void;
  end(): void;
}

/**
 * A map of the ground that stands in a page. Its layers are asked for while the map itself is made, and each is drawn as
 * it comes: waiting for the empty map to be drawn first, then for the last layer, then for fonts, left it blank for seconds.
 * `more` are sources beside those of the ground; `dress` is called whenever a style is there.
 */
export function standSmall(box: HTMLElement, at: [number, number] | null, more: readonly SourceName[] = [], dress: (map: MapLibre) => void = () => undefined): SmallMap {
  const sources = [...SOURCES, ...more];
  const kept = new Map<SourceName, GeoJSON.FeatureCollection>();
  const layers = LAYERS.map(async (name) => [name, await layerOf(name)] as const);
  const opened = district.peek()!;
  const [west, south, east, north] = opened.bounds;
  const map = new MapLibre({
    container: box,
    style: styleWith(sources, theme.peek(), lang.peek()),
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
  let ready = false;
  let ended = false;
  const give = (name: SourceName): void => {
    if (ready) (map.getSource(name) as GeoJSONSource | undefined)?.setData(kept.get(name)!);
  };
  const put = (name: SourceName, features: GeoJSON.FeatureCollection): void => {
    kept.set(name, features);
    if (!ended) give(name);
    const labels = LABELLED[name];
    if (labels) put(labels, labelled(features));
  };
  const dressed = (): void => {
    ready = true;
    dress(map);
    for (const name of kept.keys()) give(name);
  };
  map.once("style.load", dressed);
  box.dataset["state"] = "loading";
  for (const layer of layers) void layer.then(([name, features]) => put(name, features)).catch((fault: unknown) => say(told(fault)));
  void Promise.allSettled(layers).then(() => ended || map.once("idle", () => (box.dataset["state"] = "drawn")));
  let shown = theme.peek();
  const endings = [
    effect(() => {
      if (theme.value === shown) return;
      shown = theme.value;
      ready = false;
      map.once("style.load", dressed);
      map.setStyle(styleWith(sources, theme.value, lang.peek()), { diff: false });
    }),
    effect(() => {
      const name = nameIn(lang.value);
      if (ready) for (const layer of LABELS) if (map.getLayer(layer)) map.setLayoutProperty(layer, "text-field", name);
    }),
  ];
  Object.assign(box, { anlanMap: map }); // tests read the map's state through its element
  return {
    map,
    put,
    end() {
      ended = true;
      for (const one of endings) one();
      map.remove();
    },
  };
}
