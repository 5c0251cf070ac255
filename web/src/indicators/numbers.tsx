/** Numbers of indicators in words: a value that opens the list behind it, unknown with its reason, or hidden. */

import { hrefOf } from "../cases/address.ts";
import { kindOf, rootArea } from "../cases/known.ts";
import { integer, lang, named, t, word } from "../i18n.ts";
import type { AreaNumber, Indicator } from "./api.ts";

export function valueText(one: Indicator, value: number): string {
  const fine = Math.abs(value) < 100 && !Number.isInteger(value);
  const text = new Intl.NumberFormat(lang.value === "zh" ? "zh-CN" : "en-GB", { minimumFractionDigits: 0, maximumFractionDigits: fine ? 1 : 0 }).format(value);
  const unit = named(one.unit);
  return unit === "%" ? `${text} %` : text;
}

/** The address of the list of cases that were counted. */
export function listHref(one: Indicator, area: string, period: string): string {
  return hrefOf("list", { indicator: one.id, period, ...(area && area !== rootArea()?.id ? { area } : {}) });
}

/** A number of an area and a period. It leads to its list where it counts cases, and where what it counts may be told. */
export function NumberOf({ one, told, period, big = false, test }: { one: Indicator; told: AreaNumber; period: string; big?: boolean; test?: string }) {
  if (told.hidden)
    return (
      <span class="number-hidden" title={t("indicators.hidden_why", { n: one.least })} data-test={test}>
        {t("indicators.hidden")}
      </span>
    );
  if (told.value === null)
    return (
      <span class="number-unknown" data-test={test}>
        {t("unknown.short")}
        <span class="quiet why">{word("unknown_number", told.unknown ?? "no_records")}</span>
      </span>
    );
  const text = valueText(one, told.value);
  const unit = named(one.unit);
  const shown = (
    <>
      {big ? <strong>{text}</strong> : text}
      {big && unit !== "%" && <span class="quiet"> {unit}</span>}
    </>
  );
  if (!one.sources.some((source) => kindOf(source))) return <span data-test={test}>{shown}</span>;
  return (
    <a href={listHref(one, told.area, period)} title={t("indicators.open_list")} data-test={test}>
      {shown}
    </a>
  );
}

/** How many entries are behind a number; nothing where that is not told. */
export function countText(told: AreaNumber): string {
  if (told.n === null || told.hidden || (told.value === null && told.n === 0)) return "";
  return told.n_of === null ? t("indicators.n_behind", { n: integer(told.n) }) : t("indicators.n_of_behind", { n: integer(told.n_of), of: integer(told.n) });
}

/** The change since a year before: as a sign, in words, and only then in colour. */
export function Change({ one, change }: { one: Indicator; change: number | null }) {
  if (change === null) return <span class="quiet">–</span>;
  const percent = new Intl.NumberFormat(lang.value === "zh" ? "zh-CN" : "en-GB", { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" }).format(change);
  const same = Math.abs(change) < 0.005;
  const good = one.better === "neither" || same ? null : change > 0 === (one.better === "more");
  return (
    <span class={`change${good === null ? "" : good ? " is-better" : " is-worse"}`}>
      <span aria-hidden="true">{same ? "→" : change > 0 ? "↑" : "↓"}</span> {percent}
      {good !== null && <span class="quiet"> {t(good ? "indicators.better" : "indicators.worse")}</span>}
    </span>
  );
}

/** What an indicator counts from: the labels of case types, and words for other kinds of records. */
export const sourcesText = (one: Indicator): string => one.sources.map((source) => named(kindOf(source)?.label) || word("source", source)).join(t("list.comma"));
