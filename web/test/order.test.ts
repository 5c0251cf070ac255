/** Answers that come in another order than they were asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder } from "../src/order.ts";

interface Asked {
  answer(with_: number): void;
  refuse(): void;
}

function asking(): { run: ReturnType<typeof inOrder>; asked: Asked[]; taken: number[] } {
  const asked: Asked[] = [];
  const taken: number[] = [];
  const ask = (): Promise<number> => new Promise((answer, refuse) => asked.push({ answer, refuse: () => refuse(new Error("refused")) }));
  return { run: inOrder(ask, (answer) => taken.push(answer)), asked, taken };
}

test("an answer to an older question does not undo a newer one", async () => {
  const { run, asked, taken } = asking();
  const both = [run(), run()];
  asked[1]!.answer(2);
  asked[0]!.answer(1);
  await Promise.all(both);
  assert.deepEqual(taken, [2]);
});

test("answers in order are all taken", async () => {
  const { run, asked, taken } = asking();
  const both = [run(), run()];
  asked[0]!.answer(1);
  asked[1]!.answer(2);
  await Promise.all(both);
  assert.deepEqual(taken, [1, 2]);
});

test("a refusal is told unless something newer was taken", async () => {
  const { run, asked } = asking();
  const alone = run();
  asked[0]!.refuse();
  await assert.rejects(alone, /refused/);
  const [old, newer] = [run(), run()];
  asked[2]!.answer(3);
  await newer;
  asked[1]!.refuse();
  await old;
});

test("what is skipped is of no account", async () => {
  const { run, asked, taken } = asking();
  const old = run();
  run.skip();
  asked[0]!.answer(1);
  await old;
  assert.deepEqual(taken, []);
});
