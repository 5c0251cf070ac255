import { useEffect, useState } from "preact/hooks";
import { faultFrom } from "../api.ts";
import type { Case, Kind } from "../cases/api.ts";
import { referenceName } from "../cases/known.ts";
import { Refusal } from "../cases/parts.tsx";
import { density, integer, lang, momentOf, named, people, share, t, timeOf, type Key } from "../i18n.ts";
import { Curve, type Line } from "../parts/Curve.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { useOnce } from "../parts/useOnce.ts";
import { save } from "../save.ts";
import { may } from "../staff.ts";
import { recordHref, underway, type Going, type Made, type Rehearsals, type RehearsedZone } from "./api.ts";
import { amount, condition } from "./FiringRow.tsx";
import { rehearsed } from "./firings.ts";


/** So often the days are asked for again. */
const ASKS = 3;

/** The plan on a simulated crowd: asked for, run beside, kept, and put on paper. */
export function RehearsalPanel({ one, kind }: { one: Case; kind: Kind }) {
  return kind.runs && !one.closed ? <Rehearsed one={one} /> : null;
}

function Rehearsed({ one }: { one: Case }) {
  const [round, setRound] = useState(0);
  const told = useAsked(`rehearsals ${one.id}`, rehearsed.value + round, () => underway.rehearsals(one.id));
  const [shown, setShown] = useState("");
  const [going, setGoing] = useState<Going | null>(null);
  useEffect(() => setGoing(told.answer?.going ?? null), [told.answer]);
  const busy = going !== null && !going.over;
  const unknown = told.answer?.days.length === 0;
  useEffect(() => {
    if (!unknown || round >= ASKS) return; // the program that knows the days is still starting
    const later = setTimeout(() => setRound((was) => was + 1), 4_000);
    return () => clearTimeout(later);
  }, [unknown, round]);
  useEffect(() => {
    if (!busy) return;
    // Only how far it is; what is kept is read again when it is over.
    const look = async (): Promise<void> => {
      const now = await underway.going(one.id);
      setGoing(now);
      if (now === null || now.over) setRound((was) => was + 1);
    };
    const clock = setInterval(() => !document.hidden && void look().catch(() => undefined), 1_000);
    return () => clearInterval(clock);
  }, [busy, one.id]);
  if (!told.answer) return null;
  const every = told.answer.rehearsals;
  const chosen = every.find((each) => each.id === shown) ?? every[0];
  return (
    <section class="panel" data-test="rehearsals">
      <h3>{t("rehearsal.title")}</h3>
      {may("cases.act") && <WishForm one={one} told={told.answer} busy={busy} begun={() => setRound((was) => was + 1)} />}
      {going && <Progress one={one} going={going} stopped={() => setRound((was) => was + 1)} />}
      {every.length > 1 && (
        <label class="block">
          <span>{t("rehearsal.kept")}</span>
          <select value={chosen?.id} onChange={(picked) => setShown(picked.currentTarget.value)}>
            {every.map((each) => (
              <option key={each.id} value={each.id}>
                {momentOf(each.made_at)} · {t("rehearsal.brief", { crowd: share(each.wish.crowd), share: share(each.wish.share) })}
              </option>
            ))}
          </select>
        </label>
      )}
      {chosen && <Shown key={chosen.id} one={one} made={chosen} dropped={() => setRound((was) => was + 1)} />}
      {!chosen && !going && <p class="quiet">{t("rehearsal.none")}</p>}
    </section>
  );
}

function WishForm({ one, told, busy, begun }: { one: Case; told: Rehearsals; busy: boolean; begun: () => void }) {
  const [scenario, setScenario] = useState("");
  const [crowd, setCrowd] = useState("100");
  const [usual, setUsual] = useState("100");
  const [fault, setFault] = useState<unknown>(null);
  const { busy: sending, once } = useOnce();
  const begin = async (): Promise<void> => {
    setFault(null);
    const wish = { scenario, crowd: Number(crowd) / 100, share: Number(usual) / 100, seed: 1 + told.rehearsals.length };
    await underway.rehearse(one.id, wish).then(begun, setFault);
  };
  const field = (name: Key, value: string, set: (value: string) => void, least: number, test: string) => (
    <label>
      <span>{t(name)}</span>
      <input type="number" value={value} min={least} max={300} required onInput={(typed) => set(typed.currentTarget.value)} data-test={test} />
    </label>
  );
  return (
    <form class="rehearsal-form" onSubmit={(pressed) => (pressed.preventDefault(), void once(begin))}>
      {field("rehearsal.crowd", crowd, setCrowd, 1, "rehearsal-crowd")}
      <label>
        <span>{t("rehearsal.day")}</span>
        <select value={scenario} onChange={(picked) => setScenario(picked.currentTarget.value)} data-test="rehearsal-day">
          {told.days.length === 0 && <option value="">{t("rehearsal.ordinary")}</option>}
          {told.days.map((day, k) => (
            <option key={day.id} value={k === 0 ? "" : day.id}>
              {named(day.name, day.id)}
            </option>
          ))}
        </select>
      </label>
      {field("rehearsal.usual", usual, setUsual, 0, "rehearsal-usual")}
      <button type="submit" class="plain solid" disabled={busy} aria-busy={sending} data-test="rehearse">
        {t("rehearsal.begin")}
      </button>
      <Refusal fault={fault} />
    </form>
  );
}

function Progress({ one, going, stopped }: { one: Case; going: Going; stopped: () => void }) {
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  if (going.stopped) return <p class="quiet">{t("rehearsal.was_stopped")}</p>;
  if (going.fault) return <Refusal fault={faultFrom(going.fault)} />;
  return (
    <div class="rehearsal-going" role="status" data-test="rehearsal-going">
      <progress value={going.share} max={1} aria-label={t("rehearsal.under_way")} />
      <span>{t("rehearsal.under_way")} {share(going.share)}</span>
      {may("cases.act") && (
        <button type="button" class="plain" aria-busy={busy} onClick={() => void once(() => underway.stop(one.id).then(stopped, setFault))}>
          {t("rehearsal.stop")}
        </button>
      )}
      <Refusal fault={fault} />
    </div>
  );
}

function Shown({ one, made, dropped }: { one: Case; made: Made; dropped: () => void }) {
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const at = made.minutes.map((each) => Date.parse(each) / 1000);
  return (
    <div class="rehearsal" data-test="rehearsal">
      <p class="quiet">{t("rehearsal.of", { n: people(made.n_expected), share: share(made.wish.share), day: named(made.day, made.scenario), time: momentOf(made.made_at) })}</p>
      {made.cut && <p class="condition">{t("rehearsal.cut")}</p>}
      <ul class="live-triggers">
        {made.triggers.map((each) => (
          <li key={each.row} class={each.fired.length > 0 ? "is-on" : ""} data-test="rehearsed-trigger">
            <span>
              <b>{each.zone}</b> {condition(each)} → {each.action} <span class="quiet">({each.office})</span>
            </span>
            <span class="number">{each.fired.length > 0 ? each.fired.map((fire) => timeOf(fire.at)).join(t("list.comma")) : t(each.highest === null ? "live.unknown" : "rehearsal.not_fired")}</span>
            <span class="quiet">{each.highest === null ? t("rehearsal.not_counted") : t("rehearsal.highest", { value: amount(each.measure, each.highest) })}</span>
          </li>
        ))}
      </ul>
      {made.zones.map((zone) => (
        <ZoneCurve key={zone.zone} zone={zone} at={at} />
      ))}
      {made.clearance && <p>{made.clearance.most_s === null ? t("rehearsal.not_cleared", { n: people(made.clearance.n_persons) }) : t("rehearsal.cleared", { n: people(made.clearance.n_persons), time: timeOf(made.clearance.at), minutes: integer(Math.ceil(made.clearance.most_s / 60)) })}</p>}
      <p class="buttons">
        {(["pdf", "docx"] as const).map((form) => (
          <button type="button" key={form} class="plain" aria-busy={busy} onClick={() => void once(() => save(recordHref(one.id, made.id, form, lang.peek()), `rehearsal-${made.id}.${form}`).catch(setFault))} data-test={`record-${form}`}>
            {t(`papers.${form}`)}
          </button>
        ))}
        {may("cases.act") && (
          <button type="button" class="plain" aria-busy={busy} onClick={() => void once(() => underway.drop(one.id, made.id).then(dropped, setFault))}>
            {t("rehearsal.drop")}
          </button>
        )}
      </p>
      <Refusal fault={fault} />
    </div>
  );
}

function ZoneCurve({ zone, at }: { zone: RehearsedZone; at: number[] }) {
  const lines: Line[] = [
    { label: t("rehearsal.people"), colour: "--accent", values: zone.occupancy },
    { label: t("live.capacity"), colour: "--quiet", values: at.map(() => zone.capacity), dash: [6, 4] },
  ];
  const peak = zone.peak;
  return (
    <figure class="rehearsed-zone">
      <figcaption>
        <b>{zone.zone}</b> <span data-test="rehearsed-ground">{referenceName("ground", zone.ground)}</span>{" "}
        {peak ? t("rehearsal.peak", { n: people(peak.occupancy), low: people(peak.low ?? 0), high: people(peak.high ?? 0), time: timeOf(peak.at), density: density(peak.density_per_m2 ?? 0) }) : t("live.unknown")}
        {zone.over_capacity_min > 0 && <b class="is-short"> {t("rehearsal.over_capacity", { n: integer(zone.over_capacity_min) })}</b>}
        {zone.over_density_min > 0 && <b class="is-short"> {t("rehearsal.over_density", { n: integer(zone.over_density_min) })}</b>}
      </figcaption>
      <Curve at={at} lines={lines} band={{ low: zone.low, high: zone.high }} caption={zone.zone} />
    </figure>
  );
}
