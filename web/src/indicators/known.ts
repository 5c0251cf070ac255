/** Grows with the news of cases, but seldom: each number is computed over every case of its period. */

import { effect, signal } from "@preact/signals";
import { rounds } from "../cases/known.ts";
import { calmly } from "../desk.ts";

const CALM_MS = 30_000;

export const seldom = signal(0);
const soon = calmly(CALM_MS, async () => void (seldom.value += 1));
let begun = rounds.peek();

effect(() => {
  if (rounds.value === begun) return;
  begun = rounds.value;
  void soon();
});
