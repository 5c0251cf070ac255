import { useRef } from "preact/hooks";
import { now } from "../desk.ts";
import { integer, lang, named, t, timeOf } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { address, ask, hrefOf } from "./address.ts";
import { cases, type Agenda, type Dated, type Day } from "./api.ts";
import { filterOf } from "./filter.ts";
import { kinds, rounds } from "./known.ts";
import { AreaPicker, LIGHTS, Lamp } from "./parts.tsx";
import { dayText, titleOf } from "./words.ts";
import { dayOf, plusDays } from "./zone.ts";

const WEEK = 7;

/** The whole weeks, from Monday, that hold a month written like 2026-12. */
function weeksOf(month: string): { first: string; last: string } {
  const begin = `${month}-01`;
  const monday = plusDays(begin, -((new Date(`${begin}T12:00:00Z`).getUTCDay() + 6) % WEEK));
  let last = plusDays(monday, WEEK - 1);
  while (plusDays(last, 1).startsWith(month)) last = plusDays(last, WEEK);
  return { first: monday, last };
}

const monthPlus = (month: string, n: number): string => {
  const at = new Date(`${month}-15T12:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + n);
  return at.toISOString().slice(0, 7);
};

/** A month: what is due on each day, what is held then, and which days are worked. */
export function CalendarPage() {
  const asked = address.value.ask;
  const today = dayOf(now.value ?? Date.now());
  const month = /^\d{4}-(0[1-9]|1[0-2])$/.test(asked.get("month") ?? "") ? asked.get("month")! : today.slice(0, 7);
  const { first, last } = weeksOf(month);
  const filter = filterOf(asked, ["q", "light", "state", "mine"]);
  filter.delete("closed");
  filter.set("first", first);
  filter.set("last", last);
  const told = useAsked<Agenda>(filter.toString(), rounds.value, () => cases.calendar(filter));
  const move = (n: number) => (
    <button type="button" class="round" aria-label={t(n < 0 ? "calendar.before" : "calendar.after")} onClick={() => ask({ month: monthPlus(month, n) })} data-test={n < 0 ? "month-before" : "month-after"}>
      {n < 0 ? "‹" : "›"}
    </button>
  );
  return (
    <div class="calendar-page">
      <div class="board-head">
        <p class="calendar-month">
          {move(-1)}
          <strong data-test="month">{monthText(month)}</strong>
          {move(1)}
          <button type="button" class="plain" onClick={() => ask({ month: null })}>
            {t("calendar.today")}
          </button>
        </p>
        <label>
          <span>{t("cases.type")}</span>
          <select value={asked.get("type") ?? ""} onChange={(change) => ask({ type: change.currentTarget.value })} data-test="calendar-type">
            <option value="">{t("cases.every_type")}</option>
            {kinds.value.map((one) => (
              <option key={one.id} value={one.id}>
                {named(one.label, one.id)}
              </option>
            ))}
          </select>
        </label>
        <AreaPicker value={asked.get("area") ?? ""} pick={(area) => ask({ area })} label={t("cases.area")} test="calendar-area" />
      </div>
      {told.error && <p class="refusal">{told.error}</p>}
      {!told.answer && !told.error && <p class="empty">{t("app.loading")}</p>}
      {told.answer && <Month agenda={told.answer} month={month} today={today} asked={asked} />}
    </div>
  );
}

function monthText(month: string): string {
  const form = new Intl.DateTimeFormat(lang.value === "zh" ? "zh-CN" : "en-GB", { timeZone: "UTC", month: "long", year: "numeric" });
  return form.format(new Date(`${month}-15T12:00:00Z`));
}

function weekday(on: string): string {
  return new Intl.DateTimeFormat(lang.value === "zh" ? "zh-CN" : "en-GB", { timeZone: "UTC", weekday: "short" }).format(new Date(`${on}T12:00:00Z`));
}

function Month({ agenda, month, today, asked }: { agenda: Agenda; month: string; today: string; asked: URLSearchParams }) {
  const grid = useRef<HTMLOListElement>(null);
  const unconfirmed = [...new Set(agenda.days.filter((day) => !day.confirmed).map((day) => day.on.slice(0, 4)))];
  /** Arrows go from day to day, as in any calendar. */
  const moved = (key: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -WEEK, ArrowDown: WEEK }[key.key];
    if (by === undefined) return;
    const days = [...(grid.current?.querySelectorAll<HTMLElement>(".day") ?? [])];
    const at = days.findIndex((day) => day.contains(document.activeElement));
    days[at + by]?.focus();
    key.preventDefault();
  };
  return (
    <>
      <ol class="weekdays" aria-hidden="true">
        {agenda.days.slice(0, WEEK).map((day) => (
          <li key={day.on}>{weekday(day.on)}</li>
        ))}
      </ol>
      <ol class="days" ref={grid} onKeyDown={moved} data-test="days">
        {agenda.days.map((day) => (
          <DayCell key={day.on} day={day} dated={agenda.dated.filter((one) => one.on === day.on)} inside={day.on.startsWith(month)} today={day.on === today} asked={asked} />
        ))}
      </ol>
      <p class="quiet calendar-note">
        {t("calendar.note")}
        {unconfirmed.length > 0 && ` ${t("calendar.unconfirmed", { years: unconfirmed.join(t("list.comma")) })}`}
        {!agenda.whole && ` ${t("calendar.not_whole")}`}
      </p>
    </>
  );
}

function DayCell({ day, dated, inside, today, asked }: { day: Day; dated: Dated[]; inside: boolean; today: boolean; asked: URLSearchParams }) {
  const held = new Set(dated.map((one) => one.case.id));
  const due = day.due.filter((one) => !held.has(one.id));
  const n = Object.values(day.n_due).reduce((sum, one) => sum + one, 0);
  const list = new URLSearchParams(["type", "area", "owner", "post"].flatMap((name) => (asked.get(name) ? [[name, asked.get(name)!]] : [])));
  list.set("on", day.on);
  const empty = n + dated.length === 0 && !day.name;
  return (
    <li class={`day${inside ? "" : " is-outside"}${today ? " is-today" : ""}${day.working ? "" : " is-rest"}${empty ? " is-empty" : ""}`} tabIndex={today || (inside && day.on.endsWith("-01")) ? 0 : -1} aria-label={dayText(day.on)} data-test={`day-${day.on}`}>
      <p class="day-head">
        <b>{Number(day.on.slice(8))}</b>
        <span class="day-week">{weekday(day.on)}</span>
        {day.name && <span class={`day-name${day.working ? " is-worked" : ""}`}>{named(day.name)}</span>}
        {n > 0 && (
          <a class="day-due" href={hrefOf("list", list)} title={t("calendar.due_n", { n })} data-test="day-due">
            {LIGHTS.filter((light) => day.n_due[light]).map((light) => (
              <span key={light}>
                <Lamp light={light} />
                {integer(day.n_due[light]!)}
              </span>
            ))}
          </a>
        )}
      </p>
      <ul>
        {dated.map((one) => (
          <li key={`${one.case.id} ${one.field}`} class="is-held">
            <a href={hrefOf("case", {}, one.case.id)} title={`${named(one.label)} ${titleOf(one.case)}`}>
              {one.at && <b>{timeOf(one.at)} </b>}
              <span class="quiet" data-test="held-as">{named(one.label)}</span> {titleOf(one.case)}
            </a>
          </li>
        ))}
        {due.map((one) => (
          <li key={one.id}>
            <a href={hrefOf("case", {}, one.id)} title={named(one.label, one.type)}>
              <Lamp light={one.light} /> {one.due_at ? timeOf(one.due_at) : ""} {titleOf(one)}
            </a>
          </li>
        ))}
      </ul>
      {n > day.due.length && (
        <a class="quiet" href={hrefOf("list", list)}>
          {t("calendar.more", { n: integer(n - day.due.length) })}
        </a>
      )}
    </li>
  );
}
