/** Local times of the district. A browser may stand elsewhere, so its own time zone is never asked. */

import { timeZone } from "../i18n.ts";

const PARTS = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

/** A moment as the district's wall clocks show it: 2026-12-31T18:00. */
export function toLocal(at: string | number): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: timeZone.peek(), ...PARTS }).formatToParts(new Date(at));
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}`;
}

/** By how much the district's clocks are ahead of UTC at a whole minute. */
const ahead = (at: number): number => Date.parse(`${toLocal(at)}Z`) - at;

const DAY_MS = 86_400_000;

/**
 * The moment at which the district's wall clocks show a time: in an hour that comes twice the first, and in one that
 * does not come, by the clocks as they were before it.
 */
export function fromLocal(local: string): string | null {
  const wall = Date.parse(`${local}Z`);
  if (Number.isNaN(wall)) return null;
  const minute = wall - (wall % 60_000);
  const [before, after] = [wall - ahead(minute - DAY_MS), wall - ahead(minute + DAY_MS)];
  const shown = [before, after].filter((at) => toLocal(at) === local.slice(0, 16));
  return new Date(shown.length > 0 ? Math.min(...shown) : before).toISOString();
}

export const dayOf = (at: string | number): string => toLocal(at).slice(0, 10);

export function plusDays(on: string, n: number): string {
  const at = new Date(`${on}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + n);
  return at.toISOString().slice(0, 10);
}

/** When a day of the district begins. */
export const beginOf = (on: string): string => fromLocal(`${on}T00:00`) ?? `${on}T00:00:00Z`;
