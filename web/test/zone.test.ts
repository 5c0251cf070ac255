/** Wall clocks of the district, wherever the browser stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timeZone } from "../src/i18n.ts";
import { beginOf, dayOf, fromLocal, plusDays, toLocal } from "../src/cases/zone.ts";

const ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe", "UTC"];
/** Weeks of a year in which clocks are changed somewhere. */
const CHANGES = [[Date.UTC(2026, 2, 6), Date.UTC(2026, 3, 8)], [Date.UTC(2026, 8, 24), Date.UTC(2026, 10, 4)]] as const;

test("a moment that is shown and typed again is the same, in every zone and beside every change of clocks", () => {
  for (const zone of ZONES) {
    timeZone.value = zone;
    const twice: number[] = [];
    for (const [begin, end] of CHANGES)
      for (let at = begin; at < end; at += 30 * 60_000) {
        const back = Date.parse(fromLocal(toLocal(at))!);
        if (back !== at) twice.push(at - back); // in an hour that comes twice, the first is meant
      }
    assert.ok(twice.every((more) => more > 0 && more <= 3_600_000), `${zone}: ${twice}`);
    assert.ok(twice.length <= 2, `${zone}: ${twice}`);
  }
});

test("of an hour that comes twice the first is meant, and one that does not come goes by the clocks before it", () => {
  timeZone.value = "Europe/Berlin";
  assert.equal(fromLocal("2026-10-25T02:30"), "2026-10-25T00:30:00.000Z");
  assert.equal(fromLocal("2026-10-25T02:30:30"), "2026-10-25T00:30:30.000Z");
  assert.equal(fromLocal("2026-03-29T02:30"), "2026-03-29T01:30:00.000Z");
});

test("days begin at the district's midnight", () => {
  timeZone.value = "Asia/Shanghai";
  assert.equal(beginOf("2026-12-31"), "2026-12-30T16:00:00.000Z");
  assert.equal(dayOf("2026-12-30T16:00:00Z"), "2026-12-31");
  assert.equal(plusDays("2026-02-28", 1), "2026-03-01");
  assert.equal(plusDays("2026-01-01", -1), "2025-12-31");
  assert.equal(fromLocal("nonsense"), null);
});
