import { hrefOf } from "../cases/address.ts";
import { areaOf } from "../cases/known.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import { seldom } from "./known.ts";
import { district } from "../desk.ts";
import { named, t, word } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { indicators, type Answer, type AreaNumber, type Indicator } from "./api.ts";
import { isToldAt, withArea } from "./asked.ts";
import { Change, countText, NumberOf, sourcesText } from "./numbers.tsx";
import { aYearBefore, earlier, periodAt, periodText } from "./periods.ts";

const BEFORE = 5;

/** One indicator: its formula and sources, its number beside earlier ones, and the areas directly below. */
export function IndicatorDetail({ one, area, month }: { one: Indicator; area: string; month: string }) {
  const level = areaOf(area)?.level ?? "";
  const period = periodAt(one.every, month);
  const may = isToldAt(one, level);
  const told = useAsked<Answer | null>(`${one.id} ${area} ${period}`, seldom.value, async () => (may ? indicators.one(one.id, area, period) : null));
  const made = told.answer;
  const levelText = (key: string): string => named(district.value?.levels.find((each) => each.key === key)?.label, key);
  return (
    <article class="case-columns" data-test="indicator">
      <div class="case-main">
        <section class="panel">
          <h2>{named(one.label, one.id)}</h2>
          {!may && <p class="condition">{t("indicators.not_so_fine", { level: levelText(one.level) })}</p>}
          {told.error && <p class="refusal">{told.error}</p>}
          {may && !made && !told.error && <p class="empty">{t("app.loading")}</p>}
          {made && <Numbers one={one} made={made} />}
        </section>
        {made && made.parts.length > 0 && <Parts one={one} made={made} />}
        {made && made.parts.length === 0 && <p class="quiet">{t("indicators.finest")}</p>}
      </div>
      <div class="case-side">
        <section class="panel" data-test="definition">
          <h3>{t("indicators.definition")}</h3>
          <dl class="field-list">
            <div class="is-wide">
              <dt>{t("indicators.formula")}</dt>
              <dd class="mono wrap" data-test="formula">
                {one.formula}
              </dd>
            </div>
            <div>
              <dt>{t("indicators.source")}</dt>
              <dd>{sourcesText(one)}</dd>
            </div>
            <div>
              <dt>{t("indicators.counted")}</dt>
              <dd>{word("counted", one.counted)}</dd>
            </div>
            <div>
              <dt>{t("indicators.every")}</dt>
              <dd>{word("every", one.every)}</dd>
            </div>
            <div>
              <dt>{t("indicators.finest_level")}</dt>
              <dd>{levelText(one.level)}</dd>
            </div>
            <div>
              <dt>{t("indicators.aim")}</dt>
              <dd>{word("better", one.better)}</dd>
            </div>
          </dl>
          <p class="quiet hint">{t("indicators.hidden_why", { n: one.least })}</p>
        </section>
        {may && <Earlier one={one} area={area} period={period} />}
      </div>
    </article>
  );
}

function Numbers({ one, made }: { one: Indicator; made: Answer }) {
  const facts: [string, AreaNumber, string][] = [
    [periodText(one.every, made.period), made.whole, made.period],
    [t("indicators.before"), made.before, earlier(one.every, made.period)],
    [t("indicators.year_ago"), made.year_ago, aYearBefore(one.every, made.period)],
  ];
  return (
    <dl class="big-numbers" data-test="numbers">
      {facts.map(([label, told, period], k) => (
        <div key={label} class={k === 0 ? "is-first" : ""}>
          <dt>
            {label}
            {k === 0 && !made.complete && <b class="tag">{t("indicators.so_far")}</b>}
          </dt>
          <dd>
            <NumberOf one={one} told={told} period={period} big test={k === 0 ? "whole" : k === 1 ? "before" : "year-ago"} />
            <span class="quiet block">{countText(told)}</span>
          </dd>
        </div>
      ))}
      <div>
        <dt>{t("indicators.change")}</dt>
        <dd data-test="change">
          <Change one={one} change={made.change} />
        </dd>
      </div>
    </dl>
  );
}

/** The areas directly below: each opens its own page, and each number its list. */
function Parts({ one, made }: { one: Indicator; made: Answer }) {
  const most = named(one.unit) === "%" ? 100 : Math.max(0, ...made.parts.map((part) => Math.abs(part.value ?? 0)));
  return (
    <section class="panel">
      <h3>{t("indicators.below")}</h3>
      <TableScroll name={t("indicators.below")}>
        <table class="table parts-table" data-test="parts">
          <thead>
            <tr>
              <th scope="col">{t("cases.area")}</th>
              <th scope="col" class="number">
                {t("indicators.value")}
              </th>
              <th scope="col">
                <span class="sr-only">{t("indicators.value")}</span>
              </th>
              <th scope="col" class="number">
                {t("indicators.behind")}
              </th>
            </tr>
          </thead>
          <tbody>
            {made.parts.map((part) => (
              <tr key={part.area} data-test={`part-${part.area}`}>
                <th scope="row">{isToldAt(one, areaOf(part.area)?.level ?? "") ? <a href={hrefOf("indicators", withArea(part.area), one.id)}>{named(part.name, part.area)}</a> : named(part.name, part.area)}</th>
                <td class="number">
                  <NumberOf one={one} told={part} period={made.period} test={`value-${part.area}`} />
                </td>
                <td class="bar-cell">
                  {part.value !== null && !part.hidden && (
                    <span class="bar" aria-hidden="true">
                      <i style={{ width: `${most > 0 ? (100 * Math.abs(part.value)) / most : 0}%` }} />
                    </span>
                  )}
                </td>
                <td class="number quiet">{countText(part)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}

/** The periods before, each with the list behind it. */
function Earlier({ one, area, period }: { one: Indicator; area: string; period: string }) {
  const names = Array.from({ length: BEFORE }, (_, k) => earlier(one.every, period, k + 1));
  const told = useAsked<Answer[]>(`earlier ${one.id} ${area} ${period}`, seldom.value, async () => {
    const found: Answer[] = [];
    for (const name of names) found.push(await indicators.one(one.id, area, name));
    return found;
  });
  return (
    <section class="panel" data-test="earlier">
      <h3>{t("indicators.earlier")}</h3>
      {told.error && <p class="refusal">{told.error}</p>}
      {!told.answer && !told.error && <p class="quiet">{t("app.loading")}</p>}
      {told.answer && (
        <table class="table">
          <tbody>
            {told.answer.map((made) => (
              <tr key={made.period}>
                <th scope="row">{periodText(one.every, made.period)}</th>
                <td class="number">
                  <NumberOf one={one} told={made.whole} period={made.period} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
