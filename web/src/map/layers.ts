import { api } from "../api.ts";

const asked = new Map<string, Promise<GeoJSON.FeatureCollection>>();

/** A layer of the ground, asked for once: it does not change while the district is open. */
export function layerOf(name: string): Promise<GeoJSON.FeatureCollection> {
  const known = asked.get(name) ?? api.layer(name);
  asked.set(name, known);
  known.catch(() => asked.delete(name));
  return known;
}
