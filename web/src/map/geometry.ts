import type { Polygon } from "../shapes.ts";

type Position = GeoJSON.Position;

/** The corners of the box around a geometry: west, south, east, north. */
export function boundsOf(geometry: GeoJSON.Geometry): [number, number, number, number] {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon = 0, lat = 0] of positions(geometry)) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  return [west, south, east, north];
}

/** Where a symbol of a geometry stands: the middle of a line, the balance point of an area's outline. */
export function anchorOf(geometry: GeoJSON.Geometry): [number, number] {
  if (geometry.type === "Point") return [geometry.coordinates[0]!, geometry.coordinates[1]!];
  if (geometry.type === "LineString") return middleOf(geometry.coordinates);
  if (geometry.type === "Polygon") return centroidOf(geometry.coordinates[0]!);
  if (geometry.type === "MultiPolygon") {
    const largest = geometry.coordinates.reduce((a, b) => (Math.abs(twiceArea(a[0]!)) >= Math.abs(twiceArea(b[0]!)) ? a : b));
    return centroidOf(largest[0]!);
  }
  const [west, south, east, north] = boundsOf(geometry);
  return [(west + east) / 2, (south + north) / 2];
}

function* positions(geometry: GeoJSON.Geometry): Generator<Position> {
  if (geometry.type === "GeometryCollection") {
    for (const part of geometry.geometries) yield* positions(part);
    return;
  }
  const open: unknown[] = [geometry.coordinates];
  while (open.length > 0) {
    const part = open.pop() as unknown[];
    if (typeof part[0] === "number") yield part as Position;
    else open.push(...part);
  }
}

function middleOf(line: Position[]): [number, number] {
  const lengths = line.slice(1).map((to, k) => Math.hypot(to[0]! - line[k]![0]!, to[1]! - line[k]![1]!));
  let left = lengths.reduce((sum, length) => sum + length, 0) / 2;
  for (const [k, length] of lengths.entries()) {
    if (left <= length && length > 0) {
      const part = left / length;
      const [a, b] = [line[k]!, line[k + 1]!];
      return [a[0]! + part * (b[0]! - a[0]!), a[1]! + part * (b[1]! - a[1]!)];
    }
    left -= length;
  }
  return [line[0]![0]!, line[0]![1]!];
}

function twiceArea(ring: Position[]): number {
  return ring.reduce((sum, [x = 0, y = 0], k) => {
    const [nextX = 0, nextY = 0] = ring[(k + 1) % ring.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
}

function centroidOf(ring: Position[]): [number, number] {
  const [x0, y0] = [ring[0]![0]!, ring[0]![1]!]; // near zero the products keep their digits
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let k = 0; k + 1 < ring.length; k++) {
    const [ax, ay] = [ring[k]![0]! - x0, ring[k]![1]! - y0];
    const [bx, by] = [ring[k + 1]![0]! - x0, ring[k + 1]![1]! - y0];
    const cross = ax * by - bx * ay;
    sum += cross;
    sumX += (ax + bx) * cross;
    sumY += (ay + by) * cross;
  }
  return sum === 0 ? [x0, y0] : [x0 + sumX / (3 * sum), y0 + sumY / (3 * sum)];
}

/**
 * Read a polygon as somebody pastes it: GeoJSON (geometry, feature, or a collection with one), or a corner a line,
 * longitude first. Null where it is neither; whether it lies in the district and is valid the server tells.
 */
export function polygonFrom(text: string): Polygon | null {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    try {
      return polygonIn(JSON.parse(trimmed) as GeoJSON.GeoJSON);
    } catch {
      return null;
    }
  }
  const numbers = trimmed.match(/-?\d+(?:\.\d+)?/g)?.map(Number) ?? [];
  if (numbers.length < 6 || numbers.length % 2 !== 0) return null;
  const ring: Position[] = [];
  for (let k = 0; k < numbers.length; k += 2) ring.push([numbers[k]!, numbers[k + 1]!]);
  const [first, last] = [ring[0]!, ring.at(-1)!];
  if (first[0] !== last[0] || first[1] !== last[1]) ring.push([...first]);
  return ring.length >= 4 ? { type: "Polygon", coordinates: [ring] } : null;
}

/** Read a line as somebody pastes it: GeoJSON, or two points; more points than two are a polygon's corners. */
export function lineFrom(text: string): GeoJSON.LineString | null {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    try {
      const json = JSON.parse(trimmed) as GeoJSON.GeoJSON;
      const found = json.type === "Feature" ? json.geometry : json;
      return found?.type === "LineString" ? { type: "LineString", coordinates: found.coordinates } : null;
    } catch {
      return null;
    }
  }
  const [a, b, c, d, ...more] = trimmed.match(/-?\d+(?:\.\d+)?/g)?.map(Number) ?? [];
  return d === undefined || more.length > 0 ? null : { type: "LineString", coordinates: [[a!, b!], [c!, d]] };
}

function polygonIn(json: GeoJSON.GeoJSON): Polygon | null {
  if (json.type === "Polygon" || json.type === "MultiPolygon") return { type: json.type, coordinates: json.coordinates } as Polygon;
  if (json.type === "Feature") return json.geometry ? polygonIn(json.geometry) : null;
  if (json.type === "FeatureCollection" && json.features.length === 1) return polygonIn(json.features[0]!);
  return null;
}
