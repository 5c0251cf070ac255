import { useEffect, useRef } from "preact/hooks";
import { integer, lang, named, t, word } from "../i18n.ts";
import { Icon } from "../parts/Icon.tsx";
import { useRowKeys } from "../parts/Keys.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { address, ask, hrefOf, listAddress } from "./address.ts";
import { BehindNumber } from "../indicators/BehindNumber.tsx";
import { cases, exportHref, type Count, type Light } from "./api.ts";
import { filterOf, isNarrowed, ORDERS, orderOf, WITHIN_H } from "./filter.ts";
import { may } from "../staff.ts";
import { kinds, rounds } from "./known.ts";
import { AreaPicker, CaseLink, LIGHTS, Lamp, Refusal } from "./parts.tsx";
import { useList } from "./useList.ts";
import { dayText } from "./words.ts";

const sum = (counts: Count[], fits: (one: Count) => boolean): number => counts.filter(fits).reduce((n, one) => n + one.n_cases, 0);

/** The list: what is asked for on the left, what there is on the right. */
export function ListPage() {
  const asked = address.value.ask;
  const filter = filterOf(asked);
  const words = asked.get("q") ?? "";
  useEffect(() => {
    listAddress.value = hrefOf("list", asked);
  }, [asked]);
  const unlit = filterOf(asked, ["light", "state", "type", "q", "mine"]);
  const counted = useAsked(`counts ${unlit.toString()}`, rounds.value, () => cases.counts(unlit));
  const counts = counted.answer ?? [];
  if (asked.has("indicator")) return <BehindNumber asked={asked} />;
  return (
    <div class="case-list-page">
      <aside class="case-filters" aria-label={t("cases.filters")}>
        <Search words={words} />
        <details class="fold" open={matchMedia("(min-width: 721px)").matches}>
          <summary>{t("cases.filters")}</summary>
          <Filters asked={asked} counts={counts} />
        </details>
      </aside>
      <section class="case-results" aria-label={t("cases.list")}>
        <Lights asked={asked} counts={counts} sought={words !== "" || asked.get("mine") === "1"} />
        <Results filter={filter} asked={asked} />
      </section>
    </div>
  );
}

function Search({ words }: { words: string }) {
  const waits = useRef(0);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current && input.current !== document.activeElement) input.current.value = words;
  }, [words]);
  const typed = (text: string): void => {
    clearTimeout(waits.current);
    waits.current = setTimeout(() => ask({ q: text.trim() || null }), 300) as unknown as number;
  };
  return (
    <label class="seek">
      <Icon name="search" size={15} />
      <input ref={input} type="search" id="case-search" defaultValue={words} placeholder={t("cases.seek")} aria-label={t("cases.seek")} maxLength={200} onInput={(change) => typed(change.currentTarget.value)} data-test="case-search" />
    </label>
  );
}

/** How many there are under each light; each is a filter, too. Of words, and of one's own, the server counts nothing. */
function Lights({ asked, counts, sought }: { asked: URLSearchParams; counts: Count[]; sought: boolean }) {
  const [type, state] = [asked.get("type"), asked.get("state")];
  const fits = (one: Count): boolean => (!type || one.type === type) && (!state || one.state === state);
  const chosen = asked.get("light");
  const button = (light: Light | null) => (
    <button type="button" key={light ?? "all"} class="light-button" aria-pressed={chosen === light} onClick={() => ask({ light: chosen === light ? null : light })} data-test={`light-${light ?? "all"}`}>
      {light ? <Lamp light={light} words /> : <span>{t("cases.all")}</span>}
      {!sought && <b>{integer(sum(counts, (one) => fits(one) && (light === null || one.light === light)))}</b>}
    </button>
  );
  return (
    <div class="lights" role="group" aria-label={t("cases.by_light")}>
      {button(null)}
      {LIGHTS.map(button)}
      <button type="button" class="light-button is-mine" aria-pressed={asked.get("mine") === "1"} onClick={() => ask({ mine: asked.get("mine") === "1" ? null : "1" })} data-test="mine">
        {t("cases.mine")}
      </button>
    </div>
  );
}

function Filters({ asked, counts }: { asked: URLSearchParams; counts: Count[] }) {
  const type = asked.get("type") ?? "";
  const kind = kinds.value.find((one) => one.id === type);
  const post = useRef(0);
  return (
    <>
      <label class="block">
        <span>{t("cases.type")}</span>
        <select value={type} onChange={(change) => ask({ type: change.currentTarget.value, state: null })} data-test="filter-type">
          <option value="">{t("cases.every_type")}</option>
          {kinds.value.map((one) => (
            <option key={one.id} value={one.id}>
              {named(one.label, one.id)} ({integer(sum(counts, (each) => each.type === one.id))})
            </option>
          ))}
        </select>
      </label>
      <label class="block">
        <span>{t("cases.state")}</span>
        <select value={asked.get("state") ?? ""} disabled={!kind} onChange={(change) => ask({ state: change.currentTarget.value, closed: change.currentTarget.value && kind?.closed.includes(change.currentTarget.value) ? "any" : asked.get("closed") })} data-test="filter-state">
          <option value="">{t(kind ? "cases.every_state" : "cases.type_first")}</option>
          {Object.entries(kind?.states ?? {}).map(([id, label]) => (
            <option key={id} value={id}>
              {named(label, id)} {kind!.closed.includes(id) ? "" : `(${integer(sum(counts, (each) => each.type === type && each.state === id))})`}
            </option>
          ))}
        </select>
      </label>
      <label class="block">
        <span>{t("cases.open_or_closed")}</span>
        <select value={asked.get("closed") ?? ""} onChange={(change) => ask({ closed: change.currentTarget.value })} data-test="filter-closed">
          <option value="">{t("cases.open_only")}</option>
          <option value="only">{t("cases.closed_only")}</option>
          <option value="any">{t("cases.open_and_closed")}</option>
        </select>
      </label>
      <AreaPicker value={asked.get("area") ?? ""} pick={(area) => ask({ area })} label={t("cases.area")} test="filter-area" />
      <AreaPicker value={asked.get("owner") ?? ""} pick={(owner) => ask({ owner })} label={t("cases.owner")} test="filter-owner" />
      <label class="block">
        <span>{t("cases.post")}</span>
        <input
          defaultValue={asked.get("post") ?? ""}
          maxLength={80}
          onInput={(typed) => {
            const value = typed.currentTarget.value.trim();
            clearTimeout(post.current);
            post.current = setTimeout(() => ask({ post: value }), 400) as unknown as number;
          }}
          data-test="filter-post"
        />
      </label>
      <label class="block">
        <span>{t("cases.due")}</span>
        <select value={asked.get("on") ? "on" : (asked.get("due") ?? "")} onChange={(change) => ask({ due: change.currentTarget.value, on: null })} data-test="filter-due">
          <option value="">{t("cases.due_any")}</option>
          {asked.get("on") && <option value="on">{dayText(asked.get("on")!)}</option>}
          {WITHIN_H.map((hours) => (
            <option key={hours} value={hours}>
              {t(hours === 0 ? "cases.due_over" : "cases.due_within", { n: hours / 24 })}
            </option>
          ))}
        </select>
      </label>
      <label class="block">
        <span>{t("cases.order")}</span>
        <select value={orderOf(asked)} onChange={(change) => ask({ order: change.currentTarget.value })} data-test="filter-order">
          {ORDERS.map((one) => (
            <option key={one} value={one}>
              {word("order", one)}
            </option>
          ))}
        </select>
      </label>
      <p class="buttons">
        {isNarrowed(asked) && (
          <a class="plain" href={hrefOf("list")} data-test="filter-clear">
            {t("cases.clear")}
          </a>
        )}
        <a class="plain" href={exportHref(filterOf(asked), lang.value)} download="cases.csv">
          {t("cases.export")}
        </a>
        {may("cases.act") && (
          <a class="plain" href={hrefOf("import", type ? { type } : {})} data-test="to-import">
            {t("sheet.open")}
          </a>
        )}
        {may("cases.act", true) && (
          <a class="plain" href={hrefOf("migrate", type ? { type } : {})} data-test="to-migrate">
            {t("migrate.open")}
          </a>
        )}
      </p>
    </>
  );
}

/** The rows. J and K go down and up, Enter opens; at the last row more are read. */
function Results({ filter, asked }: { filter: URLSearchParams; asked: URLSearchParams }) {
  const listed = useList(filter, orderOf(asked));
  const box = useRef<HTMLUListElement>(null);
  useRowKeys(box, ".case-row", () => void listed.more());
  if (listed.fault && listed.cases.length === 0) return <Refusal fault={listed.fault} />;
  if (listed.cases.length === 0)
    return (
      <div class="nothing" data-test={listed.busy ? "list-loading" : "no-cases"}>
        <p>{t(listed.busy ? "app.loading" : isNarrowed(asked) ? "cases.none_so" : "cases.none")}</p>
        {!listed.busy && isNarrowed(asked) && (
          <a class="plain" href={hrefOf("list")}>
            {t("cases.clear")}
          </a>
        )}
      </div>
    );
  return (
    <>
      <div class="case-head" aria-hidden="true">
        <span />
        <span>{t("cases.what")}</span>
        <span>{t("cases.state")}</span>
        <span>{t("cases.area")}</span>
        <span>{t("cases.owner")}</span>
        <span>{t("cases.due")}</span>
      </div>
      <ul class="case-rows" ref={box}>
        {listed.cases.map((one) => (
          <li key={one.id}>
            <CaseLink one={one} />
          </li>
        ))}
      </ul>
      {listed.fault ? <Refusal fault={listed.fault} /> : null}
      <p class="case-more">
        {listed.next !== null ? (
          <button type="button" class="plain" disabled={listed.busy} onClick={() => void listed.more()} data-test="more">
            {t(listed.busy ? "app.loading" : "cases.more")}
          </button>
        ) : (
          <span class="quiet">{t("cases.all_shown", { n: integer(listed.cases.length) })}</span>
        )}
      </p>
    </>
  );
}
