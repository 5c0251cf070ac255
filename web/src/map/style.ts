import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import faces from "virtual:font-faces";
import type { Lang } from "../shapes.ts";
import type { Theme } from "../theme.ts";
import { PALETTES, RUNG_COLOURS } from "./palette.ts";

export const FONT = "Noto Sans SC";
export const SOURCES = ["boundary", "water", "green", "streets", "places", "gateways", "stations", "areas", "alerts", "selection", "devices", "incidents", "units", "place-points", "area-points", "street-labels", "water-labels"] as const;
export type SourceName = (typeof SOURCES)[number];

/**
 * Names that have a source apart from what they name: a tile is drawn when all of it is there, and fonts come last, so that
 * streets with their names in one tile stood blank until the last font had come.
 */
export const LABELLED: Partial<Record<SourceName, SourceName>> = { streets: "street-labels", water: "water-labels" };

/** The features that have a name to be shown. */
export function labelled({ features }: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  return { type: "FeatureCollection", features: features.filter((one) => one.properties?.["name_zh"] || one.properties?.["name_en"]) };
}

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
const MAJOR = ["motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link"];
const MIDDLE = ["secondary", "secondary_link", "tertiary", "tertiary_link"];
const WALK = ["pedestrian", "footway", "path", "steps", "living_street", "corridor"];

/** The name to show: in the page's language, or in the other one. */
export function nameIn(lang: Lang): ExpressionSpecification {
  const order = lang === "zh" ? ["name_zh", "name_en"] : ["name_en", "name_zh"];
  const filled = (key: string): ExpressionSpecification => ["!=", ["coalesce", ["get", key], ""], ""];
  return ["case", filled(order[0]!), ["get", order[0]!], filled(order[1]!), ["get", order[1]!], ""];
}

/** Labels whose text follows the language. */
export const LABELS = ["street-names", "water-names", "gateway-names", "area-names", "place-names"];

export function styleOf(theme: Theme, lang: Lang): StyleSpecification {
  const sources: StyleSpecification["sources"] = {};
  for (const name of SOURCES) sources[name] = { type: "geojson", data: EMPTY, ...(name === "selection" ? {} : { tolerance: 0.3 }) };
  return { version: 8, sources, layers: [...ground(theme), ...overlays(theme), ...names(theme, lang)], "font-faces": { [FONT]: faces } } as StyleSpecification;
}

/** The style with these sources alone, and the layers that need no other. */
export function styleWith(sources: readonly SourceName[], theme: Theme, lang: Lang): StyleSpecification {
  const whole = styleOf(theme, lang);
  const kept = new Set<string>(sources);
  return {
    ...whole,
    sources: Object.fromEntries(Object.entries(whole.sources).filter(([name]) => kept.has(name))),
    layers: whole.layers.filter((one) => !("source" in one) || kept.has(one.source as string)),
  };
}

function width(wide: number): ExpressionSpecification {
  return ["interpolate", ["exponential", 1.7], ["zoom"], 11, wide * 0.12, 14, wide * 0.55, 17, wide * 3, 19, wide * 8];
}

const class_: ExpressionSpecification = ["get", "class"];
const among = (classes: string[]): ExpressionSpecification => ["in", class_, ["literal", classes]];

function ground(theme: Theme): LayerSpecification[] {
  const c = PALETTES[theme];
  const streets = (id: string, classes: ExpressionSpecification, colour: string, wide: number, minzoom: number): LayerSpecification[] => [
    {
      id: `${id}-casing`,
      type: "line",
      source: "streets",
      minzoom: Math.max(minzoom, 12.5),
      filter: classes,
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": c.casing, "line-width": width(wide * 1.35) },
    },
    {
      id,
      type: "line",
      source: "streets",
      minzoom,
      filter: classes,
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": colour, "line-width": width(wide) },
    },
  ];
  const minor: ExpressionSpecification = ["!", among([...MAJOR, ...MIDDLE, ...WALK])];
  const blocks = [streets("street-minor", minor, c.street, 2.6, 12.5), streets("street-middle", among(MIDDLE), c.major, 4, 11), streets("street-major", among(MAJOR), c.major, 5.6, 0), streets("street-walk", among(WALK), c.walk, 2.6, 12.5)];
  return [
    { id: "outside", type: "background", paint: { "background-color": c.outside } },
    { id: "land", type: "fill", source: "boundary", paint: { "fill-color": c.land } },
    { id: "green", type: "fill", source: "green", paint: { "fill-color": c.green } },
    { id: "water", type: "fill", source: "water", paint: { "fill-color": c.water } },
    { id: "shore", type: "line", source: "water", paint: { "line-color": c.shore, "line-width": 1 } },
    ...blocks.map((block) => block[0]!),
    ...blocks.map((block) => block[1]!),
  ];
}

const RUNG_COLOUR: ExpressionSpecification = ["match", ["get", "rung"], "red", RUNG_COLOURS.red, "orange", RUNG_COLOURS.orange, "yellow", RUNG_COLOURS.yellow, RUNG_COLOURS.notice];

/** The density picture is put below this layer. */
export const ABOVE_DENSITY = "area-fills";

function overlays(theme: Theme): LayerSpecification[] {
  const c = PALETTES[theme];
  return [
    { id: "area-fills", type: "fill", source: "areas", paint: { "fill-color": c.area, "fill-opacity": 0.001 } },
    {
      id: "area-lines",
      type: "line",
      source: "areas",
      paint: { "line-color": c.area, "line-opacity": 0.7, "line-width": ["interpolate", ["linear"], ["zoom"], 12, 0.6, 16, 1.6] },
    },
    { id: "boundary", type: "line", source: "boundary", paint: { "line-color": c.boundary, "line-width": 1.6, "line-dasharray": [5, 2.5] } },
    { id: "place-fills", type: "fill", source: "places", paint: { "fill-color": c.place, "fill-opacity": 0.05 } },
    {
      id: "place-lines",
      type: "line",
      source: "places",
      paint: {
        "line-color": ["case", ["boolean", ["get", "key"], false], c.key, c.place],
        "line-width": ["interpolate", ["linear"], ["zoom"], 12, 0.8, 16, ["case", ["boolean", ["get", "key"], false], 2.4, 1.6]],
        "line-opacity": 0.85,
      },
    },
    { id: "alert-fill", type: "fill", source: "alerts", paint: { "fill-color": RUNG_COLOUR, "fill-opacity": 0.16 } },
    {
      id: "alert-line",
      type: "line",
      source: "alerts",
      layout: { "line-join": "round" },
      paint: { "line-color": RUNG_COLOUR, "line-width": ["interpolate", ["linear"], ["zoom"], 12, 2.4, 16, 5] },
    },
    { id: "selection-fill", type: "fill", source: "selection", paint: { "fill-color": c.selected, "fill-opacity": 0.1 } },
    { id: "selection-spot", type: "circle", source: "selection", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 10, "circle-color": c.selected, "circle-opacity": 0.35, "circle-stroke-color": c.selected, "circle-stroke-width": 3 } },
    { id: "selection-line", type: "line", source: "selection", paint: { "line-color": c.selected, "line-width": 2.6 } },
    {
      id: "device-symbols",
      type: "symbol",
      source: "devices",
      layout: {
        "icon-image": ["concat", ["get", "kind"], "-", ["get", "state"]],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 11.5, 0.45, 14, 0.8, 16, 1],
        "icon-allow-overlap": true,
        "symbol-sort-key": ["get", "rank"],
      },
    },
    {
      id: "incident-rings",
      type: "circle",
      source: "incidents",
      filter: ["all", ["!=", ["get", "state"], "closed"], ["get", "chosen"]],
      paint: { "circle-radius": 19, "circle-color": c.selected, "circle-opacity": 0.16, "circle-stroke-color": c.selected, "circle-stroke-width": 2 },
    },
    {
      id: "incident-symbols",
      type: "symbol",
      source: "incidents",
      layout: {
        "icon-image": ["concat", "incident-", ["get", "state"], "-", ["get", "priority"]],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 11.5, 0.85, 16, 1.25],
        "icon-allow-overlap": true,
        "symbol-sort-key": ["-", 4, ["get", "priority"]],
      },
    },
    {
      id: "unit-symbols",
      type: "symbol",
      source: "units",
      layout: {
        "icon-image": ["concat", "unit-", ["get", "shape"], "-", ["get", "status"]],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 11.5, 0.72, 16, 1.15],
        "icon-allow-overlap": true,
        "text-field": ["step", ["zoom"], "", 13.4, ["get", "label"]],
        "text-font": [FONT],
        "text-size": 11,
        "text-anchor": "left",
        "text-offset": [1.15, 0],
        "text-optional": true,
        "symbol-sort-key": ["get", "rank"],
      },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.6 },
    },
  ];
}

function names(theme: Theme, lang: Lang): LayerSpecification[] {
  const c = PALETTES[theme];
  const text = nameIn(lang);
  const halo = { "text-halo-color": c.halo, "text-halo-width": 1.5 };
  return [
    {
      id: "street-names",
      type: "symbol",
      source: "street-labels",
      minzoom: 13.6,
      layout: { "symbol-placement": "line", "text-field": text, "text-font": [FONT], "text-size": ["interpolate", ["linear"], ["zoom"], 13.6, 10.5, 17, 13], "symbol-spacing": 340, "text-max-angle": 30 },
      paint: { "text-color": c.quiet, ...halo },
    },
    {
      id: "water-names",
      type: "symbol",
      source: "water-labels",
      layout: { "text-field": text, "text-font": [FONT], "text-size": 14, "text-letter-spacing": 0.2 },
      paint: { "text-color": c.waterText, "text-halo-color": c.water, "text-halo-width": 1 },
    },
    {
      id: "gateway-dots",
      type: "circle",
      source: "gateways",
      minzoom: 13.2,
      filter: ["==", ["get", "kind"], "metro"],
      paint: { "circle-radius": 3.4, "circle-color": c.halo, "circle-stroke-color": c.quiet, "circle-stroke-width": 1.6 },
    },
    {
      id: "gateway-names",
      type: "symbol",
      source: "gateways",
      minzoom: 14.6,
      filter: ["==", ["get", "kind"], "metro"],
      layout: { "text-field": text, "text-font": [FONT], "text-size": 11, "text-offset": [0, 0.8], "text-anchor": "top", "text-optional": true },
      paint: { "text-color": c.quiet, ...halo },
    },
    {
      id: "area-names",
      type: "symbol",
      source: "area-points",
      layout: { "text-field": text, "text-font": [FONT], "text-size": ["interpolate", ["linear"], ["zoom"], 12, 11, 16, 13], "text-padding": 6, "text-max-width": 7 },
      paint: { "text-color": c.area, ...halo },
    },
    {
      id: "place-names",
      type: "symbol",
      source: "place-points",
      layout: {
        "text-field": text,
        "text-font": [FONT],
        "text-size": ["interpolate", ["linear"], ["zoom"], 11.5, 11, 16, 14.5],
        "text-max-width": 8,
        "text-variable-anchor": ["center", "top", "bottom", "left", "right"],
        "text-radial-offset": 0.4,
        "symbol-sort-key": ["case", ["boolean", ["get", "key"], false], 0, 1],
      },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.8 },
    },
  ];
}
