/** The last hour and what is expected: few are neither unknown nor a number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bandOf, bridged, later, minutely, tells, upTo } from "../src/hour.ts";

const at = (minute: number): string => new Date(Date.UTC(2026, 11, 31, 10, minute)).toISOString();
const point = (minute: number, n: number, by = 10) => ({ at: at(minute), occupancy: n, low: n - by, high: n + by, hidden: false });
const few = (minute: number) => ({ at: at(minute), occupancy: null, low: null, high: 10, hidden: true });
const unknown = (minute: number) => ({ at: at(minute), occupancy: null, low: null, high: null, hidden: false });

test("a forecast is joined to the present minute by minute", () => {
  const made = minutely(point(0, 100), [point(15, 130), point(30, 100), point(120, 900)]);
  assert.equal(made.length, 31);
  assert.deepEqual([made[0]!.occupancy, made[5]!.occupancy, made[15]!.occupancy, made.at(-1)!.occupancy], [100, 110, 130, 100]);
  assert.deepEqual([made[5]!.low, made[5]!.high], [100, 120]);
});

test("where it falls below ten no number is told on the way either", () => {
  const made = minutely(point(0, 65), [few(15), few(30)]);
  assert.deepEqual(
    made.filter((one) => one.occupancy !== null && one.occupancy < 10),
    [],
  );
  assert.equal(made[0]!.occupancy, 65);
  assert.equal(made[14]!.hidden, true);
  assert.equal(made[20]!.hidden, true);
  const back = minutely(few(0), [point(15, 155)]);
  assert.deepEqual([back[0]!.hidden, back[1]!.occupancy], [true, 15]);
});

test("few are told, unknown is not", () => {
  assert.deepEqual([point(0, 50), few(1), unknown(2)].map(tells), [true, true, false]);
  const band = bandOf([point(0, 50), few(1), { ...unknown(20) }, few(40)]);
  assert.deepEqual(band, { low: [40, 0, null, 0], high: [60, 10, null, 10] });
});

test("the curve ends with the estimate that stands above it", () => {
  const estimate = { at: at(3), occupancy: null, low: null, high: 10, hidden: true } as never;
  assert.deepEqual(upTo([point(1, 20), point(2, 15)], estimate).map((one) => [one.at, one.hidden]), [[at(1), false], [at(2), false], [at(3), true]]);
  assert.equal(upTo([point(4, 20)], estimate).length, 1);
});

test("what is expected after the hour is the day ahead", () => {
  assert.deepEqual(later(at(0), [point(15, 1), point(60, 1), point(120, 1), point(1440, 1)]).map((one) => one.at), [at(120), at(1440)]);
});

test("intervals that are near are joined, gaps stay open", () => {
  assert.deepEqual(bridged([0, 60, 120, 180, 3_600], [10, null, null, 40, 50]), [10, 20, 30, 40, 50]);
  assert.deepEqual(bridged([0, 60, 3_600], [10, null, 50]), [10, null, 50]);
});
