/** Cases in words: titles, values, places and the time that is left. */

import type { Label } from "../shapes.ts";
import { district, now } from "../desk.ts";
import { lang, momentOf, named, t } from "../i18n.ts";
import type { Brief, Field, Kind } from "./api.ts";
import { areaOf, kindOf, pathOf, referenceName } from "./known.ts";

/** What a case is about: the first text that an opening must tell, else what was chosen, else its type. */
export function titleOf(one: Brief, kind: Kind | undefined = kindOf(one.type)): string {
  const told = (kind?.fields ?? []).filter((field) => one.fields[field.id] !== undefined);
  const text = told.find((field) => field.kind === "text" && field.required) ?? told.find((field) => field.kind === "text");
  if (text) return String(one.fields[text.id]);
  const chosen = told.filter((field) => field.kind === "choice").slice(0, 2);
  const words = chosen.map((field) => valueText(field, one.fields[field.id]));
  return words.length > 0 ? words.join(t("list.comma")) : named(one.label, one.type);
}

/** What kind of thing it is, where the title does not say so. */
export function aboutOf(one: Brief): string {
  const field = kindOf(one.type)?.fields.find((each) => each.kind === "choice" && one.fields[each.id] !== undefined);
  const label = named(one.label, one.type);
  return field ? `${label} · ${valueText(field, one.fields[field.id])}` : label;
}

export function valueText(field: Field | undefined, value: unknown): string {
  if (value === null || value === undefined || value === "") return t("cases.not_told");
  if (field?.kind === "choice") return named(field.options[String(value)], String(value));
  if (field?.refers) return referenceName(field.refers, String(value));
  if (field?.kind === "boolean") return t(value ? "cases.yes" : "cases.no");
  if (field?.kind === "date") return dayText(String(value));
  if (field?.kind === "moment") return momentOf(String(value));
  if (typeof value === "number") return new Intl.NumberFormat(lang.value === "zh" ? "zh-CN" : "en-GB").format(value);
  if (Array.isArray(value)) return t("cases.n_rows", { n: value.length });
  return String(value);
}

/** A date without a time, which no time zone moves. */
export function dayText(on: string): string {
  const at = new Date(`${on}T12:00:00Z`);
  const form = new Intl.DateTimeFormat(lang.value === "zh" ? "zh-CN" : "en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });
  return Number.isNaN(at.getTime()) ? on : form.format(at);
}

/** What a level of areas is called. */
export const levelText = (key: string): string => named(district.value?.levels.find((one) => one.key === key)?.label, key);

export const areaText = (id: string): string => named(areaOf(id)?.name, id);

/** Where something lies, without the district that everything lies in. */
export function placeText(id: string, deepest = 2): string {
  const path = pathOf(id).map((one) => named(one.name, one.id));
  if (path.length === 0) return id;
  return path.slice(path.length > 1 ? 1 : 0).slice(-deepest).join(" › ");
}

/** A length of time in its two largest units. */
export function spanOf(s: number): string {
  const whole = Math.floor(Math.abs(s));
  const [days, hours, minutes, seconds] = [Math.floor(whole / 86_400), Math.floor((whole % 86_400) / 3_600), Math.floor((whole % 3_600) / 60), whole % 60];
  if (days >= 10) return t("span.days", { n: days });
  if (days > 0) return hours > 0 ? t("span.days_hours", { n: days, h: hours }) : t("span.days", { n: days });
  if (hours > 0) return t("span.hours_minutes", { n: hours, m: String(minutes).padStart(2, "0") });
  return t("span.minutes_seconds", { n: minutes, s: String(seconds).padStart(2, "0") });
}

/** How long until a moment, or since. It runs with the district's clock. */
export function leftText(at: string | null): string {
  if (at === null) return "";
  const at_ms = now.value;
  if (at_ms === null) return momentOf(at);
  const s = (Date.parse(at) - at_ms) / 1000;
  return t(s >= 0 ? "cases.left" : "cases.over", { span: spanOf(s) });
}

export const labelOf = (labels: Record<string, Label> | undefined, id: string): string => named(labels?.[id], id);
