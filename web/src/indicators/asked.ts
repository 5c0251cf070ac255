import { address } from "../cases/address.ts";
import { areaOf } from "../cases/known.ts";
import { dayOf } from "../cases/zone.ts";
import { district, now } from "../desk.ts";
import type { Indicator } from "./api.ts";
import { monthPlus } from "./periods.ts";

/** The month that is asked for: the last whole one where none is told. */
export function monthAsked(): string {
  const told = address.value.ask.get("month") ?? "";
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(told) ? told : monthPlus(dayOf(now.peek() ?? Date.now()).slice(0, 7), -1);
}

/** Whether an indicator may be told of areas of a level: never finer than its own. */
export function isToldAt(one: Indicator, level: string): boolean {
  const order = district.value?.levels.map((each) => each.key) ?? [];
  return order.indexOf(level) <= Math.max(0, order.indexOf(one.level));
}

/** The present address with another area. */
export function withArea(id: string): URLSearchParams {
  const made = new URLSearchParams(address.value.ask);
  if (areaOf(id)?.parent === null) made.delete("area");
  else made.set("area", id);
  return made;
}
