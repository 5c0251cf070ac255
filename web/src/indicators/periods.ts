/** Names of periods, as the server writes them: 2026-03, 2026-Q1, 2026, or the Monday of a week. */

import { lang, t } from "../i18n.ts";
import { dayText } from "../cases/words.ts";
import { plusDays } from "../cases/zone.ts";

export type Every = "week" | "month" | "quarter" | "year";

const monday = (on: string): string => plusDays(on, -((new Date(`${on}T12:00:00Z`).getUTCDay() + 6) % 7));

export function monthPlus(month: string, n: number): string {
  const at = new Date(`${month}-15T12:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + n);
  return at.toISOString().slice(0, 7);
}

/** The period of some length in which a month ends. */
export function periodAt(every: Every, month: string): string {
  const [year = "", of = "01"] = month.split("-");
  if (every === "month") return month;
  if (every === "year") return year;
  if (every === "quarter") return `${year}-Q${Math.ceil(Number(of) / 3)}`;
  return monday(plusDays(`${monthPlus(month, 1)}-01`, -1));
}

/** The period before, or so many before. */
export function earlier(every: Every, name: string, n = 1): string {
  if (every === "month") return monthPlus(name, -n);
  if (every === "year") return String(Number(name) - n);
  if (every === "week") return plusDays(name, -7 * n);
  const [year = "", quarter = ""] = name.split("-Q");
  const at = Number(year) * 4 + Number(quarter) - 1 - n;
  return `${Math.floor(at / 4)}-Q${(at % 4) + 1}`;
}

/** The same period a year before; a week, the one of 52 weeks before. */
export const aYearBefore = (every: Every, name: string): string => earlier(every, name, { week: 52, month: 12, quarter: 4, year: 1 }[every]);

export function monthText(month: string): string {
  const form = new Intl.DateTimeFormat(lang.value === "zh" ? "zh-CN" : "en-GB", { timeZone: "UTC", month: "long", year: "numeric" });
  return form.format(new Date(`${month}-15T12:00:00Z`));
}

export function periodText(every: Every, name: string): string {
  if (every === "month") return monthText(name);
  if (every === "week") return t("period.week_of", { day: dayText(name) });
  const [year = "", quarter = ""] = name.split("-Q");
  return every === "year" ? t("period.year_of", { year }) : t("period.quarter_of", { year, n: quarter });
}
