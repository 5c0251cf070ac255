/** One and more, and kinds that nobody has words for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, kindOfPlace, lang, t } from "../src/i18n.ts";

test("one goes by its own words", () => {
  lang.value = "en";
  assert.equal(t("live.people", { n: 1 }), "1 person");
  assert.equal(t("live.people", { n: "1" }), "1 person");
  assert.equal(t("live.people", { n: "1,001" }), "1,001 people");
  assert.equal(t("migrate.misfits", { n: 1, of: 3 }), "1 of 3 running cases does not fit; none was moved.");
  assert.equal(duration(172_800), "2 days");
  lang.value = "zh";
  assert.ok(!t("live.people", { n: 1 }).includes("?"));
});

test("a kind of place that has no words is a place", () => {
  lang.value = "en";
  assert.equal(kindOfPlace("pedestrian"), "Pedestrian street");
  assert.equal(kindOfPlace("moon_base"), "Place");
});
