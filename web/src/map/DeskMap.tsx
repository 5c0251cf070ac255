import { effect, type Signal } from "@preact/signals";
import { AttributionControl, Map as MapLibre, NavigationControl, ScaleControl, setWorkerUrl, type CanvasSource, type GeoJSONSource, type LngLat, type LngLatBoundsLike } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api.ts";
import type { District, Polygon } from "../shapes.ts";
import { alerts, changes, coverage, densities, devices, drawing, layer, level, say, selection, told } from "../desk.ts";
import { address, spotIn } from "../cases/address.ts";
import { lang, named, t } from "../i18n.ts";
import { incidents, raiseAt, units } from "../reach.ts";
import { theme } from "../theme.ts";
import { DensityPicture } from "./density.ts";
import { Drafting } from "./drafting.ts";
import { anchorOf, boundsOf } from "./geometry.ts";
import { layerOf } from "./layers.ts";
import { ABOVE_DENSITY, LABELLED, LABELS, labelled, nameIn, styleOf, type SourceName } from "./style.ts";
import { Moving } from "./moving.ts";
import { INCIDENT_STATES, STATUSES, incidentImage, unitImage } from "./reachSymbols.ts";
import { KINDS, STATES, SYMBOL_PX, symbolImage } from "./symbols.ts";

setWorkerUrl(workerUrl); // without it the map stays silently empty

const RATIO = 2;
const LAYERS = ["boundary", "water", "green", "streets", "places", "gateways", "stations"] as const;

/** Areas whose names stand once, at their middle: labels of the areas themselves would repeat in every tile. */
const POINTS: Partial<Record<SourceName, SourceName>> = { places: "place-points", areas: "area-points" };

/** The map once it stands: what panels ask of it. */
export interface MapHandle {
  fly(geometry: GeoJSON.Geometry): void;
  geometryOf(source: SourceName, id: string): GeoJSON.Geometry | null;
}

export function DeskMap({ district, handle }: { district: District; handle: Signal<MapHandle | null> }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => stand(box.current!, district, handle), [district.id]);
  return <div ref={box} class="map" role="application" aria-label={t("map.label", { name: named(district.name) })} />;
}

/** Where the map stood when its page was left. */
let camera: { center: LngLat; zoom: number } | null = null;

/** Stand the map up in a box; returns how to take it down. */
function stand(box: HTMLElement, district: District, handle: Signal<MapHandle | null>): () => void {
  for (const name of LAYERS) void layerOf(name).catch(() => undefined); // on their way while the map is made; a fault is told below
  const [west, south, east, north] = district.bounds;
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180); // a degree of longitude against one of latitude
  const reach = Math.max((east - west) * shrink, north - south); // a tall district must fit into a wide screen, too
  const [wide, high] = [reach / shrink, reach];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = new MapLibre({
    container: box,
    style: styleOf(theme.peek(), lang.peek()),
    ...(camera ?? { bounds: [west, south, east, north] as LngLatBoundsLike, fitBoundsOptions: { padding: 28 } }),
    maxBounds: [west - wide, south - high, east + wide, north + high],
    minZoom: 9,
    maxZoom: 19,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: calm ? 0 : 200,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // so that the screen can be kept as a picture
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 110 }), "bottom-right");
  if (district.attribution) map.addControl(new AttributionControl({ compact: false, customAttribution: escaped(district.attribution) }), "bottom-right");
  const kept = new Map<SourceName, GeoJSON.FeatureCollection>();
  const put = (name: SourceName, features: GeoJSON.FeatureCollection): void => {
    kept.set(name, features);
    (map.getSource(name) as GeoJSONSource | undefined)?.setData(features);
    const [points, labels] = [POINTS[name], LABELLED[name]];
    if (points) put(points, anchors(features));
    if (labels) put(labels, labelled(features));
  };
  handle.value = {
    fly(geometry) {
      const bounds = boundsOf(geometry);
      const padding = Math.min(120, box.clientWidth / 6, box.clientHeight / 6);
      map.fitBounds(bounds as LngLatBoundsLike, { padding, maxZoom: 16.5, animate: !calm, duration: 700 });
    },
    geometryOf: (source, id) => kept.get(source)?.features.find((one) => one.properties?.["id"] === id)?.geometry ?? null,
  };
  const endings: (() => void)[] = [];
  const densityPicture = new DensityPicture(district.grid);
  const drafting = new Drafting(map, () => theme.peek());
  const dress = (): void => {
    for (const kind of KINDS) for (const state of STATES) {
      const name = `${kind}-${state}`;
      if (!map.hasImage(name)) map.addImage(name, symbolImage(kind, state, RATIO), { pixelRatio: RATIO });
    }
    for (const status of STATUSES) for (const kind of ["vehicle", "foot"]) {
      const name = `unit-${kind}-${status}`;
      if (!map.hasImage(name)) map.addImage(name, unitImage(kind, status, RATIO), { pixelRatio: RATIO });
    }
    for (const state of INCIDENT_STATES) for (const priority of [1, 2, 3]) {
      const name = `incident-${state}-${priority}`;
      if (!map.hasImage(name)) map.addImage(name, incidentImage(state, priority, RATIO), { pixelRatio: RATIO });
    }
    if (!map.getSource("density")) {
      map.addSource("density", { type: "canvas", canvas: densityPicture.canvas, animate: false, coordinates: district.grid.corners as [[number, number], [number, number], [number, number], [number, number]] });
      map.addLayer({ id: "density", type: "raster", source: "density", paint: { "raster-resampling": "nearest", "raster-fade-duration": 0 } }, ABOVE_DENSITY);
    }
    for (const [name, features] of kept) (map.getSource(name) as GeoJSONSource | undefined)?.setData(features);
  };
  map.once("load", () => {
    dress();
    let dressed = theme.peek();
    endings.push(
      effect(() => {
        if (theme.value === dressed) return;
        dressed = theme.value;
        map.setStyle(styleOf(theme.value, lang.peek()), { diff: false });
        map.once("style.load", () => {
          drafting.restart(dress);
          paintDensity();
        });
      }),
      effect(() => {
        const name = nameIn(lang.value);
        box.setAttribute("aria-label", t("map.label", { name: named(district.name) }));
        for (const layer of LABELS) if (map.getLayer(layer)) map.setLayoutProperty(layer, "text-field", name);
      }),
      effect(() => {
        const shown = { people: densities.value, seen: coverage.value, reach: coverage.value, changed: changes.value }[layer.value];
        if (shown) paintDensity();
      }),
      effect(() => put("devices", deviceSymbols())),
      effect(() => put("alerts", alertOutlines())),
      effect(() => put("incidents", incidentSpots())),
      effect(() => {
        moving.follow(new Map(units.value.flatMap((one) => (one.at ? [[one.id, one.at] as const] : []))));
        put("units", unitSpots());
      }),
      effect(() => {
        if (drawing.value === "spot") map.getCanvas().style.cursor = "crosshair";
      }),
      effect(() => showSelection()),
      effect(() => void showAreas(level.value)),
      effect(() => drafting.follow(drawing.value)),
    );
    void Promise.all(LAYERS.map(async (name) => put(name, identified(await layerOf(name)))))
      .then(() => put("alerts", alertOutlines()))
      .catch((error: unknown) => say(told(error)));
    void api.layer("devices").then((layer) => {
      outlines = new Map(layer.features.flatMap((one) => (one.geometry ? [[String(idOf(one)), one.geometry] as const] : [])));
      put("devices", deviceSymbols());
    }).catch((error: unknown) => say(told(error)));
  });

  let outlines = new Map<string, GeoJSON.Geometry>();
  function deviceSymbols(): GeoJSON.FeatureCollection {
    const features = devices.value.flatMap((one): GeoJSON.Feature[] => {
      const outline = outlines.get(one.id);
      if (!outline) return [];
      const rank = STATES.indexOf(one.state);
      return [{ type: "Feature", geometry: { type: "Point", coordinates: anchorOf(outline) }, properties: { id: one.id, kind: one.kind, state: one.state, rank } }];
    });
    return { type: "FeatureCollection", features };
  }

  const moving = new Moving(() => put("units", unitSpots()), calm);
  endings.push(() => moving.stop());
  function unitSpots(): GeoJSON.FeatureCollection {
    const features = units.peek().flatMap((one): GeoJSON.Feature[] => {
      if (!one.at) return [];
      const properties = { id: one.id, status: one.status, shape: one.kind === "vehicle" ? "vehicle" : "foot", label: named(one.name, one.id), incident: one.incident ?? "", rank: STATUSES.indexOf(one.status) };
      return [{ type: "Feature", geometry: { type: "Point", coordinates: moving.at(one.id, one.at) }, properties }];
    });
    return { type: "FeatureCollection", features: features.reverse() };
  }

  function incidentSpots(): GeoJSON.FeatureCollection {
    const chosen = selection.value;
    const features = incidents.value
      .filter((one) => one.state !== "closed")
      .map((one): GeoJSON.Feature => ({ type: "Feature", geometry: { type: "Point", coordinates: one.at }, properties: { id: one.id, state: one.state, priority: one.priority, chosen: chosen?.kind === "incident" && chosen.id === one.id } }));
    if (chosen?.kind === "raise") features.push({ type: "Feature", geometry: { type: "Point", coordinates: chosen.at }, properties: { id: "", state: "waiting", priority: 2, chosen: true } });
    return { type: "FeatureCollection", features };
  }

  /** The places and lines of the alerts that stand, the most serious drawn last. */
  function alertOutlines(): GeoJSON.FeatureCollection {
    const features = [...alerts.value].reverse().flatMap((one): GeoJSON.Feature[] => {
      const outline = one.subject.kind === "place" ? handle.peek()?.geometryOf("places", one.subject.id) : outlines.get(one.subject.id);
      return outline ? [{ type: "Feature", geometry: outline, properties: { id: one.subject.id, rung: one.rung } }] : [];
    });
    return { type: "FeatureCollection", features };
  }

  function paintDensity(): void {
    const density = { people: densities, seen: coverage, reach: coverage, changed: changes }[layer.peek()].peek();
    const source = map.getSource("density") as CanvasSource | undefined;
    if (!density || !source) return;
    densityPicture.draw(density, theme.peek(), layer.peek());
    source.play(); // a paused canvas source is read once when it pauses
    source.pause();
    map.triggerRepaint();
  }

  function showSelection(): void {
    const chosen = selection.value;
    const spot = spotIn(address.value.ask); // where a case lies that somebody came from
    let outline: GeoJSON.Geometry | null = spot && { type: "Point", coordinates: spot };
    if (chosen?.kind === "polygon") outline = drafting.holds(chosen.polygon) ? null : chosen.polygon;
    else if (chosen?.kind === "line") outline = chosen.line;
    else if (chosen?.kind === "incident" || chosen?.kind === "raise") outline = null; // it has a symbol of its own
    else if (chosen?.kind === "device") outline = outlines.get(chosen.id) ?? null;
    else if (chosen) outline = handle.peek()?.geometryOf(chosen.kind === "place" ? "places" : "areas", chosen.id) ?? null;
    drafting.keep(chosen?.kind === "polygon" ? chosen.polygon : null);
    put("selection", { type: "FeatureCollection", features: outline ? [{ type: "Feature", geometry: outline, properties: {} }] : [] });
  }

  const fetched = new Map<string, GeoJSON.FeatureCollection>();
  async function showAreas(of: string): Promise<void> {
    if (of === "") return put("areas", { type: "FeatureCollection", features: [] });
    try {
      if (!fetched.has(of)) fetched.set(of, identified(await api.areaLayer(of)));
      if (level.peek() === of) put("areas", fetched.get(of)!);
    } catch (error) {
      say(told(error));
    }
  }

  const pick = (layer: string, x: number, y: number): string | null => {
    if (!map.getLayer(layer)) return null;
    const near = layer.endsWith("-symbols") ? SYMBOL_PX / 3 : 0;
    const found = map.queryRenderedFeatures([[x - near, y - near], [x + near, y + near]], { layers: [layer] });
    return (found[0]?.properties["id"] as string | undefined) ?? null;
  };
  const incidentOf = (id: string | null): string | null => units.peek().find((one) => one.id === id)?.incident ?? null;
  map.on("click", ({ point, lngLat }) => {
    if (drawing.peek() === "spot") return raiseAt([lngLat.lng, lngLat.lat]);
    if (drawing.peek() !== "off" || drafting.isHeld(point)) return;
    const device = pick("device-symbols", point.x, point.y);
    const place = pick("place-fills", point.x, point.y);
    const area = pick("area-fills", point.x, point.y);
    const incident = pick("incident-symbols", point.x, point.y) ?? incidentOf(pick("unit-symbols", point.x, point.y));
    if (incident) selection.value = { kind: "incident", id: incident };
    else if (device) selection.value = { kind: "device", id: device };
    else if (place) selection.value = { kind: "place", id: place };
    else if (area) selection.value = { kind: "area", id: area, level: level.peek() };
  });
  map.on("mousemove", ({ point }) => {
    if (drawing.peek() !== "off") return;
    const over = pick("incident-symbols", point.x, point.y) ?? pick("device-symbols", point.x, point.y) ?? pick("place-fills", point.x, point.y);
    map.getCanvas().style.cursor = over ? "pointer" : "";
  });
  const seen = new ResizeObserver(() => map.resize());
  seen.observe(box);
  drafting.drawn = (polygon: Polygon, first: boolean) => {
    const was = selection.peek();
    const same = !first && was?.kind === "polygon";
    selection.value = { kind: "polygon", polygon, name: same ? was.name : "", watch: same ? was.watch : null };
  };
  drafting.crossed = (line: GeoJSON.LineString) => {
    selection.value = { kind: "line", line };
  };
  Object.assign(box, { anlanMap: map }); // tests read the map's state through its element
  return () => {
    seen.disconnect();
    for (const end of endings) end();
    handle.value = null;
    camera = { center: map.getCenter(), zoom: map.getZoom() };
    map.remove();
  };
}

const idOf = (feature: GeoJSON.Feature): unknown => feature.properties?.["id"] ?? feature.properties?.["code"] ?? feature.id ?? "";

/** The same features, each with its id among its properties, where clicks find it. */
function identified(layer: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  const features = layer.features.filter((one) => one.geometry).map((one) => ({ ...one, properties: { ...one.properties, id: idOf(one) } }));
  return { type: "FeatureCollection", features };
}

function anchors({ features }: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  return { type: "FeatureCollection", features: features.map((one) => ({ ...one, geometry: { type: "Point", coordinates: anchorOf(one.geometry) } })) };
}

function escaped(text: string): string {
  const box = document.createElement("span");
  box.textContent = text;
  return box.innerHTML;
}
