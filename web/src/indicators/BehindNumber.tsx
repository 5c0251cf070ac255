import { useEffect, useRef } from "preact/hooks";
import { hrefOf, listAddress } from "../cases/address.ts";
import type { Brief } from "../cases/api.ts";
import { rootArea } from "../cases/known.ts";
import { seldom } from "./known.ts";
import { CaseLink } from "../cases/parts.tsx";
import { areaText } from "../cases/words.ts";
import { integer, named, t } from "../i18n.ts";
import { useRowKeys } from "../parts/Keys.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { indicators, type Answer } from "./api.ts";
import { countText, valueText } from "./numbers.tsx";
import { periodText } from "./periods.ts";

const MOST = 500;

/** The list of cases that a number was counted from: the list's own address, narrowed by an indicator, an area and a period. */
export function BehindNumber({ asked }: { asked: URLSearchParams }) {
  const id = asked.get("indicator") ?? "";
  const period = asked.get("period") ?? "";
  const area = asked.get("area") || (rootArea()?.id ?? "");
  const key = `${id} ${area} ${period}`;
  const number = useAsked<Answer>(`number ${key}`, seldom.value, () => indicators.one(id, area, period));
  const listed = useAsked<Brief[]>(`behind ${key}`, seldom.value, () => indicators.behind(id, area, period));
  const box = useRef<HTMLUListElement>(null);
  useRowKeys(box, ".case-row");
  useEffect(() => {
    listAddress.value = hrefOf("list", asked);
  }, [asked]);
  const made = number.answer;
  const found = listed.answer;
  const unseen = made && made.whole.n !== null && found ? made.whole.n - found.length : 0;
  return (
    <section class="case-results behind" aria-label={t("cases.list")} data-test="behind">
      <header class="behind-head">
        <p>
          {made && (
            <a href={hrefOf("indicators", { ...(area === rootArea()?.id ? {} : { area }), month: monthOf(made) }, id)} data-test="to-indicator">
              ← {named(made.indicator.label, id)}
            </a>
          )}
        </p>
        <h2>{made ? t("indicators.behind_title", { area: areaText(area), period: periodText(made.indicator.every, made.period) }) : t("app.loading")}</h2>
        {made && (
          <p class="quiet">
            {made.whole.value === null ? "" : `${valueText(made.indicator, made.whole.value)} ${named(made.indicator.unit) === "%" ? "" : named(made.indicator.unit)} · `}
            {countText(made.whole)}
            {unseen > 0 && ` · ${t(found && found.length >= MOST ? "indicators.first_only" : "indicators.unseen", { n: integer(unseen), most: integer(MOST) })}`}
          </p>
        )}
        <a class="plain" href={hrefOf("list")} data-test="filter-clear">
          {t("cases.clear")}
        </a>
      </header>
      {(number.error || listed.error) && <p class="refusal">{number.error || listed.error}</p>}
      {found && found.length === 0 && (
        <p class="nothing" data-test="no-cases">
          {t("indicators.none_behind")}
        </p>
      )}
      <ul class="case-rows" ref={box}>
        {found?.map((one) => (
          <li key={one.id}>
            <CaseLink one={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The month in which a period ends, as the page of indicators is asked for. */
function monthOf(made: Answer): string {
  return new Date(Date.parse(made.until_at) - 43_200_000).toISOString().slice(0, 7);
}
