/** The address of the map says what is chosen, and leads back to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Selection, Tab } from "../src/desk.ts";
import { told, wanted } from "../src/map/where.ts";

const RING: [number, number][] = [[121.4905, 31.2402], [121.4921, 31.2402], [121.4921, 31.2385], [121.4905, 31.2402]];

function there(chosen: Selection | null, tab: Tab): URLSearchParams {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(told(chosen, tab))) if (value !== null) asked.set(name, value);
  return new URLSearchParams(asked.toString());
}

test("whatever is chosen is found again by its address", () => {
  const every: Selection[] = [
    { kind: "place", id: "people-park" },
    { kind: "device", id: "gate/1 & 2" },
    { kind: "area", id: "g-12", level: "grid" },
    { kind: "incident", id: "i-7" },
    { kind: "polygon", polygon: { type: "Polygon", coordinates: [RING] }, name: "", watch: null },
    { kind: "line", line: { type: "LineString", coordinates: RING.slice(0, 2) } },
  ];
  for (const chosen of every) assert.deepEqual(wanted(there(chosen, "reach")), { tab: "reach", chosen, watch: null });
});

test("a watched polygon goes by its id", () => {
  const watch: Selection = { kind: "polygon", polygon: { type: "Polygon", coordinates: [RING] }, name: "Gate", watch: { id: "w1", version: 3 } };
  assert.equal(there(watch, "watches").toString(), "tab=watches&watch=w1");
  assert.equal(wanted(there(watch, "watches")).watch, "w1");
});

test("the first list with nothing chosen, and what is being raised, need no words", () => {
  assert.equal(there(null, "places").toString(), "");
  assert.equal(there({ kind: "raise", at: [121.49, 31.24] }, "places").toString(), "");
});

test("an address that cannot be read asks for nothing", () => {
  for (const text of ["tab=nowhere", "polygon=1,2;3,4", "polygon=a,b;c,d;e,f", "polygon=1,2;3,4;500,6", "line=1", "line=1,2,3;4,5,6", "area=g-12"])
    assert.deepEqual(wanted(new URLSearchParams(text)), { tab: null, chosen: null, watch: null }, text);
});
