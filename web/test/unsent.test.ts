/** Files whose sending failed go again with what they belong to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Unsent } from "../src/cases/unsent.ts";

function flaky(failures: number): { send: () => Promise<string>; sent: () => number } {
  let n = 0;
  return { send: () => ((n += 1) <= failures ? Promise.reject(new Error("cut off")) : Promise.resolve(`digest ${n}`)), sent: () => n };
}

test("what failed is sent again with the next try, and then no more", async () => {
  const unsent = new Unsent();
  const { send, sent } = flaky(1);
  await assert.rejects(unsent.begin("photo", send), /cut off/);
  assert.deepEqual(await unsent.rest({ sketch: "there" }), { sketch: "there", photo: "digest 2" });
  assert.deepEqual(await unsent.rest({}), {});
  assert.equal(sent(), 2);
});

test("what is under way is waited for, not sent twice", async () => {
  const unsent = new Unsent();
  let arrive: (digest: string) => void = () => undefined;
  let n = 0;
  const first = unsent.begin("photo", () => ((n += 1), new Promise((done) => (arrive = done))));
  const rest = unsent.rest({});
  arrive("one");
  assert.deepEqual([await first, await rest, n], ["one", { photo: "one" }, 1]);
});

test("a try that fails again keeps the file for the one after it", async () => {
  const unsent = new Unsent();
  const { send } = flaky(2);
  await assert.rejects(unsent.begin("photo", send), /cut off/);
  await assert.rejects(unsent.rest({}), /cut off/);
  assert.deepEqual(await unsent.rest({}), { photo: "digest 3" });
});

test("what was taken back, or replaced, is not sent", async () => {
  const unsent = new Unsent();
  await assert.rejects(unsent.begin("photo", flaky(9).send), /cut off/);
  unsent.drop("photo");
  assert.deepEqual(await unsent.rest({}), {});
  await assert.rejects(unsent.begin("photo", flaky(9).send), /cut off/);
  assert.equal(await unsent.begin("photo", flaky(0).send), "digest 1");
  assert.deepEqual(await unsent.rest({}), {});
});
