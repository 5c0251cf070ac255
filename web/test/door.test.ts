/** Requests that wait for somebody to sign in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Door } from "../src/door.ts";

function stood(): { door: Door; shown: boolean[] } {
  const shown: boolean[] = [];
  return { door: new Door((shut) => shown.push(shut)), shown };
}

test("whatever waits goes on once somebody has signed in", async () => {
  const { door, shown } = stood();
  const both = [door.knock(false), door.knock(true)];
  assert.deepEqual(shown, [true, true]);
  door.open();
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.equal(shown.at(-1), false);
});

test("who would not sign in is asked again for what is to be written, not for what is read", async () => {
  const { door, shown } = stood();
  const first = door.knock(false);
  door.turnAway();
  assert.equal(await first, false);
  assert.equal(await door.knock(false), false);
  assert.equal(shown.at(-1), false);
  const write = door.knock(true);
  assert.equal(shown.at(-1), true);
  door.open();
  assert.equal(await write, true);
  const later = door.knock(false);
  assert.equal(shown.at(-1), true);
  door.open();
  assert.equal(await later, true);
});
