import { useEffect, useState } from "preact/hooks";
import { address, ask, go, hrefOf } from "../cases/address.ts";
import { copyAddress } from "../cases/CasePage.tsx";
import { areaNames, learn, pathOf, rootArea } from "../cases/known.ts";
import { AreaPicker, Refusal } from "../cases/parts.tsx";
import { lang, named, t } from "../i18n.ts";
import { KeysButton, KeysHelp, useKeys, type Shortcut } from "../parts/Keys.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { save } from "../save.ts";
import { bulletinPath, indicators, type Indicator } from "./api.ts";
import { monthAsked, withArea } from "./asked.ts";
import { IndicatorDetail } from "./IndicatorDetail.tsx";
import { Overview } from "./Overview.tsx";
import { monthPlus, monthText } from "./periods.ts";

const SHORTCUTS: readonly Shortcut[] = [
  ["J  K", "keys.move"],
  ["Enter", "keys.open"],
  ["[  ]", "keys.months"],
  ["Esc", "keys.back"],
  ["?", "keys.help"],
];

/** What the district goes by: all of it for an area and a month, or one indicator with the areas below. */
export function IndicatorsPage() {
  const { help, setHelp } = useKeys(press);
  useEffect(() => void learn(), []);
  const { id, ask: asked } = address.value;
  const listed = useAsked<Indicator[]>("indicators", 0, indicators.all);
  const area = asked.get("area") || (rootArea()?.id ?? "");
  const month = monthAsked();
  const one = listed.answer?.find((each) => each.id === id);
  return (
    <main class="cases" id="indicators" tabIndex={-1}>
      <nav class="cases-nav" aria-label={t("nav.indicators")}>
        <a href={hrefOf("indicators", asked)} aria-current={id === "" ? "page" : undefined}>
          {t("indicators.all")}
        </a>
        {one && (
          <a href={hrefOf("indicators", asked, one.id)} aria-current="page">
            {named(one.label, one.id)}
          </a>
        )}
        <span class="cases-nav-end">
          <button type="button" class="plain" onClick={() => void copyAddress()}>
            {t("cases.copy")}
          </button>
          <KeysButton open={() => setHelp(true)} />
        </span>
      </nav>
      <div class="indicators-page">
        <Head area={area} month={month} one={one ?? null} />
        {listed.error && <p class="refusal">{listed.error}</p>}
        {areaNames.value.length === 0 || !listed.answer ? (
          !listed.error && <p class="empty">{t("app.loading")}</p>
        ) : id === "" ? (
          <Overview all={listed.answer} area={area} month={month} />
        ) : one ? (
          <IndicatorDetail one={one} area={area} month={month} />
        ) : (
          <p class="empty">{t("indicators.none_such", { id })}</p>
        )}
      </div>
      {help && <KeysHelp shortcuts={SHORTCUTS} close={() => setHelp(false)} />}
    </main>
  );
}

function press(key: string): boolean {
  const { page, id, ask: asked } = address.peek();
  if (key === "[") ask({ month: monthPlus(monthAsked(), -1) });
  else if (key === "]") ask({ month: monthPlus(monthAsked(), 1) });
  else if (key === "Escape" && page === "indicators" && id !== "") go(hrefOf("indicators", asked));
  else return false;
  return true;
}

/** Which area and which month; and the month's bulletin as a file. */
function Head({ area, month, one }: { area: string; month: string; one: Indicator | null }) {
  const path = pathOf(area);
  const move = (n: number) => (
    <button type="button" class="round" aria-label={t(n < 0 ? "calendar.before" : "calendar.after")} onClick={() => ask({ month: monthPlus(month, n) })} data-test={n < 0 ? "month-before" : "month-after"}>
      {n < 0 ? "‹" : "›"}
    </button>
  );
  return (
    <>
      <div class="board-head">
        <p class="calendar-month">
          {move(-1)}
          <strong data-test="month">{monthText(month)}</strong>
          {move(1)}
          <button type="button" class="plain" onClick={() => ask({ month: null })}>
            {t("indicators.last_whole")}
          </button>
        </p>
        <AreaPicker value={address.value.ask.get("area") ?? ""} pick={(picked) => ask({ area: picked })} label={t("cases.area")} test="indicator-area" />
        {!one && <Bulletin area={area} month={month} />}
      </div>
      {path.length > 1 && (
        <p class="crumbs" aria-label={t("cases.area")}>
          {path.map((each, k) => (
            <span key={each.id}>
              {k > 0 && " › "}
              {k === path.length - 1 ? <b>{named(each.name, each.id)}</b> : <a href={hrefOf("indicators", withArea(each.id), one?.id ?? "")}>{named(each.name, each.id)}</a>}
            </span>
          ))}
        </p>
      )}
    </>
  );
}

function Bulletin({ area, month }: { area: string; month: string }) {
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState("");
  const fetched = async (form: "pdf" | "docx"): Promise<void> => {
    setBusy(form);
    setFault(null);
    await save(bulletinPath(area, month, form, lang.peek()), `bulletin-${area}-${month}.${form}`).catch(setFault);
    setBusy("");
  };
  return (
    <div class="bulletin">
      <p class="buttons">
        <span class="quiet">{t("indicators.bulletin")}</span>
        {(["pdf", "docx"] as const).map((form) => (
          <button type="button" key={form} class="plain" disabled={busy !== "" || area === ""} onClick={() => void fetched(form)} data-test={`bulletin-${form}`}>
            {t(`papers.${form}`)}
          </button>
        ))}
      </p>
      <Refusal fault={fault} />
    </div>
  );
}
