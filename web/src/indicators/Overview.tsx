import { useEffect, useRef, useState } from "preact/hooks";
import { address, hrefOf } from "../cases/address.ts";
import { areaOf } from "../cases/known.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import { seldom } from "./known.ts";
import { district, told } from "../desk.ts";
import { named, t } from "../i18n.ts";
import { useRowKeys } from "../parts/Keys.tsx";
import { indicators, type Answer, type Indicator } from "./api.ts";
import { isToldAt } from "./asked.ts";
import { Change, countText, NumberOf, sourcesText } from "./numbers.tsx";
import { aYearBefore, earlier, periodAt, periodText } from "./periods.ts";

const AT_ONCE = 3;

/** All indicators of an area for the periods that end with a month, each beside a year before, with its source. */
export function Overview({ all, area, month }: { all: Indicator[]; area: string; month: string }) {
  const key = `${area} ${month}`;
  const [found, setFound] = useState<{ key: string; answers: Map<string, Answer | string> }>({ key, answers: new Map() });
  const box = useRef<HTMLTableSectionElement>(null);
  useRowKeys(box, "tr");
  const level = areaOf(area)?.level ?? "";
  const shown = all.filter((one) => isToldAt(one, level));
  useEffect(() => {
    let over = false;
    const waiting = [...shown];
    const answers = new Map(found.key === key ? found.answers : []);
    const work = async (): Promise<void> => {
      for (let one = waiting.shift(); one && !over; one = waiting.shift()) {
        answers.set(one.id, await indicators.one(one.id, area, periodAt(one.every, month)).catch(told));
        if (!over) setFound({ key, answers: new Map(answers) });
      }
    };
    for (let k = 0; k < AT_ONCE; k += 1) void work();
    return () => {
      over = true;
    };
  }, [key, seldom.value]);
  const hidden = all.length - shown.length;
  const levelText = named(district.value?.levels.find((one) => one.key === level)?.label, level);
  return (
    <section data-test="overview">
      <TableScroll name={t("nav.indicators")}>
        <table class="table indicator-table">
          <thead>
            <tr>
              <th scope="col">{t("indicators.indicator")}</th>
              <th scope="col">{t("indicators.period")}</th>
              <th scope="col" class="number">
                {t("indicators.value")}
              </th>
              <th scope="col" class="number">
                {t("indicators.before")}
              </th>
              <th scope="col" class="number">
                {t("indicators.year_ago")}
              </th>
              <th scope="col">{t("indicators.change")}</th>
              <th scope="col">{t("indicators.source")}</th>
            </tr>
          </thead>
          <tbody ref={box}>
            {shown.map((one) => (
              <Row key={one.id} one={one} answer={found.key === key ? (found.answers.get(one.id) ?? null) : null} month={month} />
            ))}
          </tbody>
        </table>
      </TableScroll>
      {hidden > 0 && <p class="quiet hint">{t("indicators.too_fine", { n: hidden, level: levelText })}</p>}
      <p class="quiet hint">{t("indicators.note")}</p>
    </section>
  );
}

function Row({ one, answer, month }: { one: Indicator; answer: Answer | string | null; month: string }) {
  const period = periodAt(one.every, month);
  const open = hrefOf("indicators", address.value.ask, one.id);
  const made = typeof answer === "string" ? null : answer;
  return (
    <tr
      tabIndex={0}
      onKeyDown={(key) => {
        if (key.key === "Enter" && key.target === key.currentTarget) location.hash = open;
      }}
      data-test={`indicator-${one.id}`}
      data-known={answer === null ? undefined : "yes"}
    >
      <th scope="row">
        <a href={open}>{named(one.label, one.id)}</a>
        {named(one.unit) !== "%" && <span class="quiet block">{named(one.unit)}</span>}
      </th>
      <td data-head={t("indicators.period")}>
        {periodText(one.every, period)}
        {made && !made.complete && <b class="tag">{t("indicators.so_far")}</b>}
      </td>
      {typeof answer === "string" ? (
        <td colSpan={4} class="is-error">
          {answer}
        </td>
      ) : made === null ? (
        <td colSpan={4} class="quiet">
          {t("app.loading")}
        </td>
      ) : (
        <>
          <td class="number" data-head={t("indicators.value")}>
            <b>
              <NumberOf one={one} told={made.whole} period={made.period} test={`value-${one.id}`} />
            </b>
            <span class="quiet block">{countText(made.whole)}</span>
          </td>
          <td class="number" data-head={t("indicators.before")}>
            <NumberOf one={one} told={made.before} period={earlier(one.every, made.period)} />
          </td>
          <td class="number" data-head={t("indicators.year_ago")}>
            <NumberOf one={one} told={made.year_ago} period={aYearBefore(one.every, made.period)} />
          </td>
          <td data-head={t("indicators.change")}>
            <Change one={one} change={made.change} />
          </td>
        </>
      )}
      <td data-head={t("indicators.source")} class="quiet">
        {sourcesText(one)}
      </td>
    </tr>
  );
}
