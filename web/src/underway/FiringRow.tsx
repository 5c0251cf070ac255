import { useState } from "preact/hooks";
import { hrefOf } from "../cases/address.ts";
import { Refusal } from "../cases/parts.tsx";
import { density, integer, t, timeOf, word } from "../i18n.ts";
import { useInstead } from "../parts/focus.ts";
import { Icon } from "../parts/Icon.tsx";
import { useOnce } from "../parts/useOnce.ts";
import { may } from "../staff.ts";
import { underway, type Firing, type Measure } from "./api.ts";
import { beat, refreshFirings } from "./firings.ts";

/** A number of a measure with its unit. */
export function amount(measure: Measure, n: number): string {
  if (measure === "density_per_m2") return t("unit.per_m2", { n: density(n) });
  return measure === "occupancy" ? t("live.people", { n: integer(Math.round(n)) }) : t("unit.per_min", { n: integer(Math.round(n)) });
}

/** When a trigger fires, in words: "density over 4 /m² for 3 min". */
export const condition = (one: { measure: Measure; above: number; for_s: number }): string => t("live.condition", { measure: word("zone_measure", one.measure), limit: amount(one.measure, one.above), n: integer(one.for_s / 60) });

/** One firing: what is to be done, by whom, and whether it was. */
export function FiringRow({ one, linked = false }: { one: Firing; linked?: boolean }) {
  const stands = one.ended_at === null;
  return (
    <li class={`firing${stands ? " is-on" : ""}${one.mark ? " is-marked" : ""}`} data-test="firing" data-row={one.row}>
      <p class="firing-head">
        <strong>{one.action ?? t("live.forgotten")}</strong>
        {one.office && <span class="tag">{one.office}</span>}
      </p>
      <p>
        {t("live.fired", { zone: one.zone ?? "", measure: word("zone_measure", one.measure), limit: amount(one.measure, one.above), time: timeOf(one.at), highest: amount(one.measure, one.highest) })}
        {!stands && one.ended_at && ` ${t("live.over", { time: timeOf(one.ended_at) })}`}
      </p>
      {one.mark && one.marked_at && (
        <p class="quiet">
          {t(one.mark === "done" ? "live.was_done" : "live.was_overruled", { time: timeOf(one.marked_at) })}
          {one.note && <q>{one.note}</q>}
        </p>
      )}
      {!one.mark && may("cases.act") && <Answer one={one} />}
      {linked && (
        <a class="link" href={hrefOf("case", {}, one.case)}>
          {t("live.to_plan")}
        </a>
      )}
    </li>
  );
}

/** Done at one press; overruled only with the reason. */
function Answer({ one }: { one: Firing }) {
  const [note, setNote] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const { opener, first } = useInstead(note !== null);
  const work = (what: () => Promise<unknown>): void =>
    void once(async () => {
      await what().then(() => (setNote(null), setFault(null)), setFault);
      beat.value += 1;
      await refreshFirings();
    });
  return (
    <>
      {note !== null ? (
        <form class="alert-duty" onKeyDown={(key) => key.key === "Escape" && (key.preventDefault(), setNote(null))} onSubmit={(sent) => (sent.preventDefault(), work(() => underway.overrule(one.id, note)))}>
          <input ref={first} value={note} maxLength={500} required placeholder={t("live.why_not")} aria-label={t("live.why_not")} onInput={(typed) => setNote(typed.currentTarget.value)} data-test="overrule-note" />
          <button type="submit" class="plain" aria-busy={busy} data-test="overrule">
            {t("live.overrule")}
          </button>
          <button type="button" class="plain" aria-label={t("draw.cancel")} onClick={() => setNote(null)}>
            <Icon name="close" size={14} />
          </button>
        </form>
      ) : (
        <p class="buttons">
          <button type="button" class="plain solid" aria-busy={busy} onClick={() => work(() => underway.done(one.id))} data-test="done">
            {t("live.done")}
          </button>
          <button type="button" ref={opener} class="plain" onClick={() => setNote("")} data-test="overrule-ask">
            {t("live.overrule_ask")}
          </button>
        </p>
      )}
      <Refusal fault={fault} />
    </>
  );
}
