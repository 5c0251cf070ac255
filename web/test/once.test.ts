/** What is under way is not begun again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { oneAtATime } from "../src/once.ts";

test("a second press while the first is under way begins nothing", async () => {
  const told: boolean[] = [];
  const once = oneAtATime((busy) => told.push(busy));
  let begun = 0;
  let end: (of: string) => void = () => undefined;
  const work = (): Promise<string> => new Promise((done) => ((begun += 1), (end = done)));
  const [first, second] = [once(work), once(work)];
  assert.equal(await second, undefined);
  end("made");
  assert.equal(await first, "made");
  assert.equal(begun, 1);
  assert.deepEqual(told, [true, false]);
});

test("what ended, well or badly, may be begun anew", async () => {
  const told: boolean[] = [];
  const once = oneAtATime((busy) => told.push(busy));
  await assert.rejects(
    once(() => Promise.reject(new Error("refused"))),
    /refused/,
  );
  assert.equal(await once(() => Promise.resolve(2)), 2);
  assert.deepEqual(told, [true, false, true, false]);
});
