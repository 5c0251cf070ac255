import { computed, signal } from "@preact/signals";
import type { Label, Lang } from "./shapes.ts";
import en from "./i18n/en.json" with { type: "json" };
import zh from "./i18n/zh.json" with { type: "json" };

export type Key = keyof typeof zh & keyof typeof en;
const CATALOGUES: Record<Lang, Record<Key, string>> = { zh, en };
const STORED = "anlan.language";

export const lang = signal<Lang>(initial());

function initial(): Lang {
  const stored = recall(STORED);
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function setLang(to: Lang): void {
  lang.value = to;
  remember(STORED, to);
}

/** The text of a key in the present language, with `{name}` filled in, and of `{name?one|more}` what goes with one or with more. */
export function t(key: Key, fill: Record<string, string | number> = {}): string {
  return CATALOGUES[lang.value][key].replace(/\{(\w+)(?:\?([^|{}]*)\|([^|{}]*))?\}/g, (whole, name: string, one?: string, more?: string) => {
    if (one === undefined) return String(fill[name] ?? whole);
    return String(fill[name]) === "1" ? one : more!;
  });
}

/** Whether the catalogue has a text of this key: for codes that come from the server. */
export function known(key: string): key is Key {
  return key in zh;
}

/** The text of a code that comes from the server, or the code itself where it is newer than this page. */
export function word(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return known(key) ? t(key) : code;
}

/** What kind of place one is. A pack may name a kind of its own, which has no words here: then it is a place. */
export function kindOfPlace(kind: string): string {
  return known(`place.${kind}`) ? word("place", kind) : t("place.other");
}

/** A name in the present language, or in the other one where it has none. */
export function named(label: Label | string | null | undefined, fallback = ""): string {
  if (!label) return fallback;
  if (typeof label === "string") return label;
  return label[lang.value] || label.zh || label.en || fallback;
}

const locale = computed(() => (lang.value === "zh" ? "zh-CN" : "en-GB"));
export const timeZone = signal("UTC");

const whole = computed(() => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 0 }));
const fine = computed(
  () => new Intl.NumberFormat(locale.value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
);
const percent = computed(() => new Intl.NumberFormat(locale.value, { style: "percent", maximumFractionDigits: 0 }));
const clock = computed(
  () => new Intl.DateTimeFormat(locale.value, { timeZone: timeZone.value, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
);
const seconds = computed(
  () => new Intl.DateTimeFormat(locale.value, { timeZone: timeZone.value, timeStyle: "medium", hourCycle: "h23" }),
);
const day = computed(
  () =>
    new Intl.DateTimeFormat(locale.value, {
      timeZone: timeZone.value,
      weekday: "short",
      day: "numeric",
      month: "short",
      year: "numeric",
    }),
);
const dayAndTime = computed(
  () =>
    new Intl.DateTimeFormat(locale.value, {
      timeZone: timeZone.value,
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    }),
);

/** A number of people, rounded to what its size can carry. */
export function people(n: number): string {
  const step = n >= 100_000 ? 1_000 : n >= 10_000 ? 100 : n >= 1_000 ? 10 : 1;
  return whole.value.format(Math.round(n / step) * step);
}
export const integer = (n: number): string => whole.value.format(n);
export const density = (n: number): string => fine.value.format(n);
export const ratio = (n: number): string => n.toFixed(1);
export const share = (n: number): string => percent.value.format(n);
export const timeOf = (at: string | number | Date): string => clock.value.format(new Date(at));
export const secondsOf = (at: string | number | Date): string => seconds.value.format(new Date(at));
export const dateOf = (at: string | number | Date): string => day.value.format(new Date(at));
export const momentOf = (at: string | number | Date): string => dayAndTime.value.format(new Date(at));

/** A length of time in the largest unit that says enough. */
export function duration(s: number): string {
  if (s < 90) return t("unit.seconds", { n: Math.round(s) });
  if (s < 5_400) return t("unit.minutes", { n: Math.round(s / 60) });
  return s < 172_800 ? t("unit.hours", { n: Math.round(s / 3_600) }) : t("unit.days", { n: Math.round(s / 86_400) });
}

export function areaOf(m2: number): string {
  return m2 >= 1e6 ? t("unit.km2", { n: fine.value.format(m2 / 1e6) }) : t("unit.m2", { n: people(m2) });
}

/** What this browser remembers, where it is allowed to. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // private windows may forbid it; the choice then lasts as long as the page
  }
}
