/** What is chosen on the map and which list is open, as the address says it: for links, and for a page that is loaded again. */

import type { Selection, Tab } from "../desk.ts";

const TABS: readonly Tab[] = ["alerts", "reach", "places", "devices", "areas", "watches"];
const FIRST: Tab = "places";
const MOST_CORNERS = 100;
const NAMES = ["place", "device", "area", "level", "incident", "watch", "polygon", "line"] as const;

/** What an address asks for. A watched polygon is named; what it looks like, the list of watches knows. */
export interface Wanted {
  tab: Tab | null;
  chosen: Selection | null;
  watch: string | null;
}

type Told = Record<"tab" | (typeof NAMES)[number], string | null>;

/** What the address is to say; null where it says nothing. An incident that is being told has no address yet. */
export function told(chosen: Selection | null, tab: Tab): Told {
  const none = Object.fromEntries(NAMES.map((name) => [name, null])) as Record<(typeof NAMES)[number], null>;
  const made: Told = { tab: tab === FIRST ? null : tab, ...none };
  if (!chosen || chosen.kind === "raise") return made;
  if (chosen.kind === "polygon") {
    if (chosen.watch) return { ...made, watch: chosen.watch.id };
    const [outline, ...holes] = chosen.polygon.type === "Polygon" ? chosen.polygon.coordinates : [];
    return outline && holes.length === 0 ? { ...made, polygon: written(outline.slice(0, -1)) } : made;
  }
  if (chosen.kind === "line") return { ...made, line: written(chosen.line.coordinates) };
  if (chosen.kind === "area") return { ...made, area: chosen.id, level: chosen.level };
  return { ...made, [chosen.kind]: chosen.id };
}

export function wanted(asked: URLSearchParams): Wanted {
  const tab = TABS.find((one) => one === asked.get("tab")) ?? null;
  return { tab, chosen: chosenIn(asked), watch: asked.get("watch") };
}

function chosenIn(asked: URLSearchParams): Selection | null {
  const [area, level] = [asked.get("area"), asked.get("level")];
  if (area && level) return { kind: "area", id: area, level };
  for (const kind of ["place", "device", "incident"] as const) {
    const id = asked.get(kind);
    if (id) return { kind, id };
  }
  const outline = read(asked.get("polygon"), 3);
  if (outline) return { kind: "polygon", polygon: { type: "Polygon", coordinates: [[...outline, outline[0]!]] }, name: "", watch: null };
  const line = read(asked.get("line"), 2);
  return line && { kind: "line", line: { type: "LineString", coordinates: line } };
}

/** Corners as `lon,lat;lon,lat`, to a tenth of a metre. */
function written(corners: GeoJSON.Position[]): string | null {
  return corners.length > MOST_CORNERS ? null : corners.map(([lon, lat]) => `${+lon!.toFixed(6)},${+lat!.toFixed(6)}`).join(";");
}

function read(text: string | null, least: number): [number, number][] | null {
  const corners = (text ?? "").split(";").map((corner): [number, number] => {
    const [lon = NaN, lat = NaN, ...more] = corner.split(",").map(Number);
    return more.length > 0 ? [NaN, NaN] : [lon, lat];
  });
  const are = corners.every(([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 90);
  return are && corners.length >= least && corners.length <= MOST_CORNERS ? corners : null;
}
