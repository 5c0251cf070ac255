import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Assignment, Candidate, Incident, Recommendation } from "../shapes.ts";
import { hrefOf } from "../cases/address.ts";
import { now, places, selection } from "../desk.ts";
import { integer, named, share, t, timeOf, word } from "../i18n.ts";
import { newKey } from "../once.ts";
import { act, incident, kinds, raiseAt, reachTick, show, unit, units } from "../reach.ts";
import { may } from "../staff.ts";
import { clockOf, waitedS, whereOf } from "./Reach.tsx";
import { typing } from "./Keys.tsx";
import { UnitSymbol } from "./UnitSymbol.tsx";
import { useAsked } from "./useAsked.ts";
import { useOnce } from "./useOnce.ts";

const CLOCKS = [60, 180, 300];
const OUTCOMES = ["resolved", "handed_over", "nothing_found", "false_report", "duplicate"] as const;

/** A new incident: what it is, where, and a few words about the need. */
export function RaiseForm({ at, spotOf }: { at: [number, number]; spotOf: (place: string) => [number, number] | null }) {
  const [kind, setKind] = useState("");
  const [note, setNote] = useState("");
  const chosen = kinds.value.find((one) => one.kind === kind);
  const key = useMemo(newKey, [kind, note, at.join()]); // what is sent again unchanged, because no answer came, raises no second one
  const { busy, once } = useOnce();
  const raise = async (): Promise<void> => {
    let made: Incident | null = null;
    await act(api.raise(kind, at, note, key).then((one) => (made = one)));
    if (made) show(made);
  };
  return (
    <form
      class="raise"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(raise);
      }}
      data-test="raise-form"
    >
      <fieldset>
        <legend>{t("raise.kind")}</legend>
        {kinds.value.map((one, k) => (
          <label key={one.kind} class="choice">
            <input type="radio" name="kind" value={one.kind} checked={kind === one.kind} required autoFocus={k === 0} onChange={() => setKind(one.kind)} />
            <b class={`priority priority-${one.priority}`}>{one.priority}</b>
            {named(one.name, one.kind)}
          </label>
        ))}
      </fieldset>
      {chosen && (
        <p class="quiet reach-note">
          {t("raise.asks", { target: clockOf(chosen.target_s), needs: chosen.needs.map((need) => `${need.units} × ${need.capabilities.map((one) => word("can", one)).join(" + ")}`).join(t("list.comma")) })}
        </p>
      )}
      <label class="block">
        <span class="quiet">{t("raise.note")}</span>
        <textarea rows={2} maxLength={500} value={note} onInput={(typed) => setNote(typed.currentTarget.value)} data-test="raise-note" />
      </label>
      <label class="block">
        <span class="quiet">{t("raise.at")}</span>
        <select value="" onChange={(change) => raiseAt(spotOf(change.currentTarget.value) ?? at)}>
          <option value="">{`${at[0].toFixed(5)}, ${at[1].toFixed(5)}`}</option>
          {places.value.map((one) => (
            <option key={one.id} value={one.id}>
              {named(one.name, one.id)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" aria-busy={busy} data-test="raise">
        {t("raise.raise")}
      </button>
    </form>
  );
}

/** One incident: its clock, who should go and why, who was sent, and its end. */
export function IncidentView({ id }: { id: string }) {
  const listed = incident(id);
  const full = useAsked<Incident>(id, reachTick.value, () => api.incident(id));
  const one = listed ?? full.answer;
  const asks = one !== null && one !== undefined && one.state !== "closed" && may("incidents.read");
  const made = useAsked<Recommendation | null>(id, reachTick.value, () => (asks ? api.recommendation(id) : Promise.resolve(null)));
  if (!one) return <p class="empty">{full.error || t("app.loading")}</p>;
  return (
    <>
      <Clock one={one} />
      {full.answer?.note && <p class="incident-note">{full.answer.note}</p>}
      {asks && made.answer?.reason === null && <Advice key={one.id} one={one} made={made.answer} />}
      {one.state !== "closed" && may("volunteers.act") && (
        <a class="plain" href={hrefOf("callouts", { new: "1", incident: one.id })} data-test="call-helpers">
          {t("incident.call_helpers")}
        </a>
      )}
      {one.assignments.length > 0 && <Sent one={one} reason={full.answer?.reason ?? null} />}
      {one.state === "closed" ? <p class="quiet">{t("incident.closed_as", { outcome: word("outcome", one.outcome ?? ""), time: one.closed_at ? timeOf(one.closed_at) : "" })}</p> : may("incidents.act") && <Close one={one} />}
    </>
  );
}

/** The running clock against one, three and five minutes, and the target of its kind. */
function Clock({ one }: { one: Incident }) {
  const waited = waitedS(one);
  const target = one.target_s ?? 180;
  const end = Math.max(300, target);
  const late = waited > target;
  return (
    <div class={`incident-clock${late ? " is-late" : ""}`} data-test="incident-clock">
      <p>
        <strong>{clockOf(waited)}</strong>
        <span>{one.on_scene_at ? t("incident.reached") : word("incident", one.state)}</span>
        <span class="quiet">{t("incident.target", { target: clockOf(target) })}</span>
      </p>
      <div class="clock-bar" aria-hidden="true">
        <i style={{ width: `${Math.min(100, (100 * waited) / end)}%` }} />
        {CLOCKS.map((mark) => (
          <b key={mark} class={mark === target ? "is-target" : ""} style={{ left: `${(100 * mark) / end}%` }}>
            {mark / 60}
          </b>
        ))}
      </div>
      <p class="quiet">
        {t("incident.received", { time: timeOf(one.received_at) })} · {whereOf(one)}
      </p>
    </div>
  );
}

/** Who should go, and why; others may be sent with a reason. `D` sends. */
function Advice({ one, made }: { one: Incident; made: Recommendation }) {
  const [picked, setPicked] = useState<ReadonlySet<string> | null>(null);
  const [reason, setReason] = useState("");
  const chosen = picked ?? new Set(made.chosen);
  const against = [...chosen].some((id) => !made.chosen.includes(id));
  const { busy, once } = useOnce();
  const [sent, setSent] = useState<Recommendation | null>(null);
  // what was recommended before units were sent says nothing of who should go now
  const ready = chosen.size > 0 && (!against || reason.trim() !== "") && may("incidents.act") && sent !== made;
  const send = async (): Promise<void> => {
    if (!ready) return;
    if (await act(api.dispatch(one.id, [...chosen], reason, one.version))) {
      setReason("");
      setSent(made);
    }
    setPicked(null);
  };
  useEffect(() => {
    const heard = (key: KeyboardEvent): void => {
      if (key.key.toLowerCase() !== "d" || key.ctrlKey || key.metaKey || key.altKey || typing(key.target) || document.querySelector("dialog[open]")) return;
      key.preventDefault();
      if (!key.repeat) void once(send);
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  });
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setPicked(next);
  };
  const could = made.candidates.filter((other) => other.barred === null);
  const shown = could.slice(0, Math.max(4, made.chosen.length + 2));
  const barred = made.candidates.length - could.length;
  return (
    <section class="advice" aria-label={t("advice.title")} data-test="advice">
      <h3>
        {t("advice.title")} <Left one={one} />
      </h3>
      {made.chosen.length === 0 && made.missing.length === 0 && <p class="quiet">{t("advice.enough")}</p>}
      <ul>
        {shown.map((other) => (
          <Option key={other.unit} one={other} picked={chosen.has(other.unit)} toggle={() => toggle(other.unit)} />
        ))}
      </ul>
      {made.missing.length > 0 && (
        <p class="is-error" role="status" data-test="missing">
          {t("advice.missing", { needs: made.missing.map((need) => need.capabilities.map((can) => word("can", can)).join(" + ") || t("advice.any")).join(t("list.comma")) })}
        </p>
      )}
      <p class="quiet reach-note">
        {[
          made.cover_now !== null && made.cover_after !== null && t("advice.cover", { from: share(made.cover_now), to: share(made.cover_after) }),
          barred > 0 && t("advice.barred", { n: barred }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {against && (
        <label class="block">
          <span class="quiet">{t("advice.why")}</span>
          <input value={reason} maxLength={500} required onInput={(typed) => setReason(typed.currentTarget.value)} data-test="reason" />
        </label>
      )}
      {may("incidents.act") && chosen.size > 0 && (
        <button type="button" class="primary send" disabled={!ready} aria-busy={busy} onClick={() => void once(send)} data-test="dispatch">
          {t("advice.send", { units: [...chosen].map((id) => named(unit(id)?.name, id)).join(t("list.comma")) })} <kbd>D</kbd>
        </button>
      )}
    </section>
  );
}

/** What is left of the target until somebody is there: it runs down with the district's clock. */
function Left({ one }: { one: Incident }) {
  const left = one.target_s === null || one.on_scene_at ? 0 : one.target_s - waitedS(one);
  return (
    <span class="quiet" data-test="left">
      {left > 0 ? t("advice.left", { left: clockOf(left) }) : ""}
    </span>
  );
}

function Option({ one, picked, toggle }: { one: Candidate; picked: boolean; toggle: () => void }) {
  const own = unit(one.unit);
  const reasons = [
    one.has.length > 0 ? one.has.map((can) => word("can", can)).join(t("list.comma")) : "",
    t("advice.crew", { n: integer(one.crew) }),
    one.takes_from ? t("advice.takes", { incident: named(incident(one.takes_from)?.name, one.takes_from) }) : "",
    one.cover_lost >= 0.0005 ? t("advice.loses", { share: share(one.cover_lost) }) : t("advice.loses_none"),
  ];
  return (
    <li class={one.chosen ? "is-recommended" : ""} data-test={`option-${one.unit}`}>
      <label>
        <input type="checkbox" checked={picked} onChange={toggle} aria-label={t("advice.pick", { unit: named(own?.name, one.unit) })} />
        {own && <UnitSymbol kind={own.kind} status={own.status} />}
        <span class="option-name">
          {named(own?.name, one.unit)}
          {one.chosen && <b class="tag">{t("advice.recommended")}</b>}
        </span>
        <strong>{one.expected_s === null ? "—" : clockOf(one.expected_s)}</strong>
        <span class="option-why quiet">
          {one.low_s !== null && one.high_s !== null && `${clockOf(one.low_s)}–${clockOf(one.high_s)} · ${t("advice.within", { share: share(one.within ?? 0) })} · `}
          {reasons.filter(Boolean).join(" · ")}
        </span>
      </label>
    </li>
  );
}

/** Whoever was sent: told, set out, arrived, free again. */
function Sent({ one, reason }: { one: Incident; reason: string | null }) {
  return (
    <section class="sent" aria-label={t("sent.title")} data-test="sent">
      <h3>{t("sent.title")}</h3>
      <ul>
        {one.assignments.map((part) => (
          <Part key={part.id} part={part} incidentId={one.id} />
        ))}
      </ul>
      {reason && <p class="quiet reach-note">{t("sent.reason", { reason })}</p>}
    </section>
  );
}

function Part({ part, incidentId }: { part: Assignment; incidentId: string }) {
  const own = units.value.find((other) => other.id === part.unit);
  const { busy, once } = useOnce();
  const [word_, since] = stepOf(part);
  const ran = now.value === null ? null : (now.value - Date.parse(since)) / 1000;
  const due = part.expected_s === null || part.on_scene_at || part.available_at ? null : (Date.parse(part.dispatched_at) + 1000 * part.expected_s - (now.value ?? 0)) / 1000;
  return (
    <li data-test={`part-${part.unit}`}>
      <span class="part-head">
        {own && <UnitSymbol kind={own.kind} status={part.available_at ? "available" : own.status} />}
        <span>{named(own?.name, part.unit)}</span>
        <strong>{word_}</strong>
        {!part.available_at && ran !== null && <span class="quiet">{clockOf(ran)}</span>}
      </span>
      <span class="quiet part-times">
        {[
          part.turnout_s !== null ? t("sent.turnout", { s: clockOf(part.turnout_s) }) : "",
          part.travel_s !== null ? t("sent.travel", { s: clockOf(part.travel_s) }) : "",
          part.response_s !== null ? t("sent.response", { s: clockOf(part.response_s) }) : "",
          due !== null ? (due > 0 ? t("sent.due", { s: clockOf(due) }) : t("sent.overdue", { s: clockOf(-due) })) : "",
          part.overridden ? t("sent.overridden") : "",
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
      {!part.on_scene_at && !part.available_at && may("incidents.act") && (
        <button type="button" class="link quiet" aria-busy={busy} onClick={() => void once(() => act(api.recall(incidentId, part.unit)))}>
          {t("sent.recall")}
        </button>
      )}
    </li>
  );
}

function stepOf(part: Assignment): [string, string] {
  if (part.available_at) return [word("ended", part.ended ?? "cleared"), part.available_at];
  if (part.on_scene_at) return [word("status", "on_scene"), part.on_scene_at];
  if (part.en_route_at) return [word("status", "en_route"), part.en_route_at];
  return [word("status", "dispatched"), part.dispatched_at];
}

function Close({ one }: { one: Incident }) {
  const [outcome, setOutcome] = useState<string>(OUTCOMES[0]);
  const { busy, once } = useOnce();
  const close = async (): Promise<void> => {
    if ((await act(api.closeIncident(one.id, outcome))) && one.assignments.length === 0) selection.value = null;
  };
  return (
    <form
      class="incident-close"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(close);
      }}
    >
      <label>
        <span class="quiet">{t("incident.outcome")}</span>
        <select value={outcome} onChange={(change) => setOutcome(change.currentTarget.value)}>
          {OUTCOMES.map((code) => (
            <option key={code} value={code}>
              {word("outcome", code)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="plain" aria-busy={busy} data-test="close-incident">
        {t("incident.close")}
      </button>
    </form>
  );
}
