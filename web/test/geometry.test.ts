/** Geometry as it is pasted, and where its symbol stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anchorOf, boundsOf, lineFrom, polygonFrom } from "../src/map/geometry.ts";

const SQUARE = [[121.48, 31.23], [121.5, 31.23], [121.5, 31.25], [121.48, 31.25], [121.48, 31.23]];

test("a polygon may be pasted as corners, a geometry, a feature or a collection of one", () => {
  const wanted = { type: "Polygon", coordinates: [SQUARE] };
  const feature = { type: "Feature", properties: {}, geometry: wanted };
  const corners = SQUARE.slice(0, 4).map((at) => at.join(", ")).join("\n");
  for (const told of [corners, ...[wanted, feature, { type: "FeatureCollection", features: [feature] }].map((one) => JSON.stringify(one))])
    assert.deepEqual(polygonFrom(told), wanted);
});

test("what is no polygon is none", () => {
  const two = JSON.stringify({ type: "FeatureCollection", features: [{ type: "Feature", geometry: null }, { type: "Feature", geometry: null }] });
  for (const told of ["", "the Bund", "121.4 31.2 121.5 31.3", "1 2 3 4 5 6 7", "{", '{"type":"Point","coordinates":[1,2]}', '{"type":"Feature","geometry":null}', two])
    assert.equal(polygonFrom(told), null, told);
});

test("a line has two points where it is typed", () => {
  assert.deepEqual(lineFrom("121.4 31.2\n121.5 31.3"), { type: "LineString", coordinates: [[121.4, 31.2], [121.5, 31.3]] });
  for (const told of ["121.4 31.2", "121.4 31.2 121.5 31.3 121.6", '{"type":"Polygon","coordinates":[]}', "{"]) assert.equal(lineFrom(told), null, told);
});

test("bounds hold all that there is", () => {
  const both: GeoJSON.Geometry = { type: "GeometryCollection", geometries: [{ type: "Point", coordinates: [-3, 4] }, { type: "MultiPolygon", coordinates: [[[[1, 2], [5, 2], [5, -9], [1, 2]]]] }] };
  assert.deepEqual(boundsOf(both), [-3, -9, 5, 4]);
});

test("a symbol stands in the middle of the way, and in the balance point of the larger part", () => {
  assert.deepEqual(anchorOf({ type: "LineString", coordinates: [[0, 0], [0, 1], [3, 1]] }), [1, 1]);
  const small = [[[9, 9], [9.01, 9], [9.01, 9.01], [9, 9]]];
  const [x, y] = anchorOf({ type: "MultiPolygon", coordinates: [small, [SQUARE]] });
  assert.ok(Math.abs(x - 121.49) < 1e-9 && Math.abs(y - 31.24) < 1e-9);
  assert.deepEqual(anchorOf({ type: "LineString", coordinates: [[2, 3], [2, 3]] }), [2, 3]);
});
