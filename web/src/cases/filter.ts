/** What a list is asked for: read from the address, so that a list can be handed on, and told to the server. */

import { now } from "../desk.ts";
import { beginOf, plusDays } from "./zone.ts";

/** Of the address: `closed` is `any` or `only`, open where it is not there; `due` is hours from now; `on` a day. */
export const PLAIN = ["type", "state", "light", "area", "owner", "post", "q"] as const;
export type Order = "changed" | "opened" | "due";
export const ORDERS: readonly Order[] = ["due", "changed", "opened"];
export const WITHIN_H = [0, 24, 72, 168] as const;
export const PART = 50;

/** The filter as the server takes it. `without` names what is left out, as for counts by light. */
export function filterOf(asked: URLSearchParams, without: readonly string[] = []): URLSearchParams {
  const made = new URLSearchParams();
  for (const name of PLAIN) {
    const value = asked.get(name);
    if (value && !without.includes(name)) made.set(name, value);
  }
  if (asked.get("mine") === "1" && !without.includes("mine")) made.set("mine", "true");
  const closed = asked.get("closed");
  if (closed !== "any") made.set("closed", String(closed === "only"));
  const hours = asked.get("due");
  const minute = Math.floor((now.peek() ?? 0) / 60_000) * 60_000; // by the minute, or each look would ask for another list
  if (hours !== null && minute > 0) made.set("due_before", new Date(minute + Number(hours) * 3_600_000).toISOString());
  const on = asked.get("on");
  if (on) {
    made.set("due_from", beginOf(on));
    made.set("due_before", beginOf(plusDays(on, 1)));
  }
  return made;
}

export function orderOf(asked: URLSearchParams): Order {
  const told = asked.get("order") as Order | null;
  return told && ORDERS.includes(told) ? told : "due";
}

/** Whether anything but the usual is asked for. */
export const isNarrowed = (asked: URLSearchParams): boolean => [...PLAIN, "closed", "due", "on", "mine"].some((name) => asked.has(name));
