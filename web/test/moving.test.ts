/** Units glide from where they are shown to where they were last. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Moving } from "../src/map/moving.ts";

test("a unit glides, and stands where it is in the end", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let at = 10_000;
  const clock = mock.method(performance, "now", () => at);
  const seen: number[] = [];
  const moving = new Moving(() => seen.push(moving.at("u", [0, 0])[0]), false);
  moving.follow(new Map([["u", [0, 0]]]));
  at += 1_000;
  moving.follow(new Map([["u", [10, 0]]]));
  for (let k = 0; k < 20; k++) {
    at += 110;
    mock.timers.tick(110);
  }
  moving.stop();
  assert.equal(seen.at(-1), 10);
  assert.ok(seen.some((x) => x > 0 && x < 10));
  assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
  clock.mock.restore();
  mock.timers.reset();
});

test("who asked for calm sees it there at once", () => {
  const moving = new Moving(() => undefined, true);
  moving.follow(new Map([["u", [0, 0]]]));
  moving.follow(new Map([["u", [10, 5]]]));
  moving.stop();
  assert.deepEqual(moving.at("u", [0, 0]), [10, 5]);
  assert.deepEqual(moving.at("unheard", [1, 1]), [1, 1]);
});
