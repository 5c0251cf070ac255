import { useRef } from "preact/hooks";
import { address, ask, hrefOf } from "../cases/address.ts";
import { dayText, placeText } from "../cases/words.ts";
import { dayOf } from "../cases/zone.ts";
import { now } from "../desk.ts";
import { integer, lang, named, t, timeOf } from "../i18n.ts";
import { Icon } from "../parts/Icon.tsx";
import { useRowKeys } from "../parts/Keys.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { may } from "../staff.ts";
import { kept } from "./asked.ts";
import { community, shiftsCalendarHref, type Board, type Shift } from "./api.ts";
import { allianceText, news, useBeat } from "./known.ts";
import { NewShiftForm } from "./NewShiftForm.tsx";
import { Filled, KeySelect, namesOf } from "./parts.tsx";
import { ShiftPanel } from "./ShiftPanel.tsx";

const BEAT_MS = 10_000;
const AHEAD = [7, 28, 90] as const;
const PAST = [0, 7, 30] as const;
const LACKS = ["places", "swaps", "hours"] as const;
type Lack = (typeof LACKS)[number];

/** Over, and nobody has told yet what it came to: its hours are unknown. */
export const isUncounted = (one: Shift): boolean => one.state === "planned" && now.value !== null && Date.parse(one.end_at) < now.value;

const LACKING: Record<Lack, (one: Shift) => boolean> = {
  places: (one) => one.state === "planned" && !isUncounted(one) && one.seated < one.places,
  swaps: (one) => one.state === "planned" && one.offers > 0,
  hours: isUncounted,
};

/** Shifts: how many are wanted and signed up, what lacks, and the one that is chosen beside them. */
export function ShiftsPage({ id, board }: { id: string; board: Board }) {
  const asked = address.value.ask;
  useBeat(BEAT_MS);
  const past = Number(asked.get("past") ?? PAST[1]);
  const days = Number(asked.get("days") ?? AHEAD[1]);
  const listed = useAsked<Shift[]>(`shifts ${past} ${days}`, news.value, () => community.shifts(past, days));
  const lack = (asked.get("lacks") ?? "") as Lack | "";
  const alliance = asked.get("alliance") ?? "";
  const shown = (listed.answer ?? []).filter((one) => (!alliance || one.alliance === alliance) && (!lack || LACKING[lack]?.(one)));
  const planning = asked.has("new") && may("volunteers.act");
  return (
    <div class="two-page">
      <section class="two-list" aria-label={t("community.shifts")}>
        <Head asked={asked} board={board} listed={listed.answer ?? []} lack={lack} />
        {listed.error && <p class="refusal">{listed.error}</p>}
        {!listed.answer && !listed.error && <p class="empty">{t("app.loading")}</p>}
        {listed.answer && shown.length === 0 && <p class="empty">{t(lack || alliance ? "community.no_shift_so" : "community.no_shift")}</p>}
        <ShiftList shown={shown} chosen={id} asked={asked} />
      </section>
      <section class="two-side" aria-live="polite">
        {planning ? <NewShiftForm board={board} /> : id ? <ShiftPanel key={id} id={id} /> : <p class="empty wide-only">{t("community.choose_shift")}</p>}
      </section>
    </div>
  );
}

function Head({ asked, board, listed, lack }: { asked: URLSearchParams; board: Board; listed: Shift[]; lack: string }) {
  const choice = (name: string, label: string, options: readonly number[], usual: number, text: (n: number) => string) => (
    <label class="block">
      <span>{label}</span>
      <select value={asked.get(name) ?? String(usual)} onChange={(change) => ask({ [name]: change.currentTarget.value })} data-test={`shift-${name}`}>
        {options.map((n) => (
          <option key={n} value={n}>
            {text(n)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <div class="two-head">
        {choice("days", t("community.ahead"), AHEAD, AHEAD[1], (n) => t("unit.days", { n }))}
        {choice("past", t("community.past"), PAST, PAST[1], (n) => (n === 0 ? t("community.no_past") : t("unit.days", { n })))}
        <KeySelect label={t("community.alliance")} none={t("community.any_alliance")} of={namesOf(board.alliances)} value={asked.get("alliance") ?? ""} pick={(alliance) => ask({ alliance })} test="shift-alliance" />
        {may("volunteers.act") && (
          <a class="primary" href={hrefOf("shifts", { ...Object.fromEntries(kept(asked)), new: "1" })} data-test="new-shift">
            <Icon name="plus" size={16} /> {t("community.plan")}
          </a>
        )}
      </div>
      <div class="lights" role="group" aria-label={t("community.missing")}>
        <button type="button" class="light-button" aria-pressed={lack === ""} onClick={() => ask({ lacks: null })}>
          {t("cases.all")} <b>{integer(listed.length)}</b>
        </button>
        {LACKS.map((one) => (
          <button type="button" key={one} class="light-button" aria-pressed={lack === one} onClick={() => ask({ lacks: lack === one ? null : one })} data-test={`lacks-${one}`}>
            {t(`community.lacks_${one}`)} <b>{integer(listed.filter(LACKING[one]).length)}</b>
          </button>
        ))}
        <a class="plain calendar-link" href={shiftsCalendarHref(lang.value, asked.get("alliance") ?? "")} download="shifts.ics">
          {t("community.calendar")}
        </a>
      </div>
    </>
  );
}

function ShiftList({ shown, chosen, asked }: { shown: Shift[]; chosen: string; asked: URLSearchParams }) {
  const box = useRef<HTMLDivElement>(null);
  useRowKeys(box, ".shift-row");
  const days = [...new Set(shown.map((one) => dayOf(one.begin_at)))];
  return (
    <div ref={box} data-test="shifts">
      {days.map((on) => (
        <section key={on} class="shift-day">
          <h3>{dayText(on)}</h3>
          <ul>
            {shown
              .filter((one) => dayOf(one.begin_at) === on)
              .map((one) => (
                <li key={one.id}>
                  <a class="shift-row case-row" href={hrefOf("shifts", kept(asked), one.id)} aria-current={one.id === chosen || undefined} data-test="shift-row" data-shift={one.id}>
                    <span class="shift-when">
                      {timeOf(one.begin_at)}–{timeOf(one.end_at)}
                    </span>
                    <span class="case-what">
                      <strong>{named(one.name, one.id)}</strong>
                      <span class="quiet">{[placeText(one.area), allianceText(one.alliance)].filter(Boolean).join(" · ")}</span>
                    </span>
                    <Standing one={one} />
                  </a>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Standing({ one }: { one: Shift }) {
  if (one.state !== "planned") return <span class="state-tag is-closed">{t(`community.${one.state}`)}</span>;
  return (
    <span class="shift-standing">
      <Filled n={one.seated} of={one.places} over={isUncounted(one)} />
      <span class="quiet">
        {[one.waiting > 0 ? t("community.n_waiting", { n: integer(one.waiting) }) : "", one.offers > 0 ? t("community.n_swaps", { n: integer(one.offers) }) : "", isUncounted(one) ? t("community.lacks_hours") : ""].filter(Boolean).join(" · ")}
      </span>
    </span>
  );
}
