import { batch, effect, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { address, ask } from "../cases/address.ts";
import { district, level, selection, tab, watches } from "../desk.ts";
import type { MapHandle } from "./DeskMap.tsx";
import { layerOf } from "./layers.ts";
import { told, wanted, type Wanted } from "./where.ts";

/** Keep the address of the map and what is chosen on it the same: whichever changes, the other follows. */
export function useAddress(map: Signal<MapHandle | null>): void {
  useEffect(() => {
    let followed: string | null = null; // the address that the choice has followed, or has written
    return effect(() => {
      const { page, ask: asked } = address.value;
      const now = told(selection.value, tab.value);
      if (page !== "map") return;
      const text = asked.toString();
      if (text !== followed && !Object.entries(now).every(([name, value]) => asked.get(name) === value)) {
        if (asked.has("watch") && watches.value.length === 0) return; // the list that knows it is still coming
        followed = text;
        const found = wanted(asked);
        if (found.tab || found.chosen || found.watch) return take(found, map);
      }
      followed = text;
      ask(now);
    });
  }, []);
}

function take(found: Wanted, map: Signal<MapHandle | null>): void {
  const watch = found.watch ? watches.value.find((one) => one.id === found.watch) : undefined;
  const chosen = watch ? ({ kind: "polygon", polygon: watch.polygon, name: watch.name, watch: { id: watch.id, version: watch.version } } as const) : found.chosen;
  batch(() => {
    if (found.tab) tab.value = found.tab;
    if (chosen?.kind === "area" && district.peek()?.levels.some(({ key }) => key === chosen.level)) level.value = chosen.level;
    if (chosen) selection.value = chosen;
  });
  if (chosen?.kind === "polygon") flyTo(map, chosen.polygon);
  else if (chosen?.kind === "line") flyTo(map, chosen.line);
  else if (chosen?.kind === "place") void layerOf("places").then(({ features }) => flyTo(map, features.find((one) => one.properties?.["id"] === chosen.id)?.geometry)).catch(() => undefined); // the map itself tells of a fault
}

/** Fly there, once the map stands. */
function flyTo(map: Signal<MapHandle | null>, geometry: GeoJSON.Geometry | undefined): void {
  if (!geometry) return;
  const end = effect(() => {
    const handle = map.value;
    if (!handle) return;
    queueMicrotask(() => end());
    handle.fly(geometry);
  });
}
