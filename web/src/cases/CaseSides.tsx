import { useState } from "preact/hooks";
import { now } from "../desk.ts";
import { momentOf, named, share, t, word } from "../i18n.ts";
import { useOnce } from "../parts/useOnce.ts";
import { hrefOf } from "./address.ts";
import { cases, type Case, type Clock, type Kind, type Linked } from "./api.ts";
import { kindOf } from "./known.ts";
import { Lamp, Refusal } from "./parts.tsx";
import { areaText, labelOf, leftText } from "./words.ts";

/** The clocks that have begun, the most urgent first, with the time that is left running. */
export function ClockList({ one }: { one: Case }) {
  const weight = (clock: Clock): number => ["running", "resting", "stopped", "not_started"].indexOf(clock.phase);
  const shown = one.clocks.filter((clock) => clock.phase !== "not_started").sort((a, b) => weight(a) - weight(b) || (a.due_at ?? "").localeCompare(b.due_at ?? ""));
  if (shown.length === 0) return null;
  return (
    <section class="panel" data-test="clocks">
      <h3>{t("cases.clocks")}</h3>
      <ul class="clocks">
        {shown.map((clock) => (
          <ClockRow key={clock.id} clock={clock} />
        ))}
      </ul>
    </section>
  );
}

function ClockRow({ clock }: { clock: Clock }) {
  const spent = clock.limit_s > 0 ? Math.min(1, clock.elapsed_s / clock.limit_s) : 1;
  const over = clock.due_at !== null && now.value !== null && now.value > Date.parse(clock.due_at);
  const light = over ? "red" : clock.light;
  return (
    <li class={`case-clock is-${light}`} data-test={`clock-${clock.id}`}>
      <p>
        <Lamp light={light} />
        <span>{named(clock.label, clock.id)}</span>
        <strong>{clock.phase === "running" ? leftText(clock.due_at) : word("phase", clock.phase)}</strong>
      </p>
      <span class="bar" aria-hidden="true">
        <i style={{ width: `${100 * spent}%` }} />
      </span>
      <p class="quiet">
        {clock.due_at ? t("cases.due_at", { time: momentOf(clock.due_at) }) : t("cases.spent", { share: share(clock.limit_s > 0 ? clock.elapsed_s / clock.limit_s : 1) })}
        {clock.provisional_years.length > 0 && ` · ${t("cases.provisional", { years: clock.provisional_years.join(t("list.comma")) })}`}
      </p>
    </li>
  );
}

/** What a case is a part of, what its parts are, and what it waits for. */
export function LinkedList({ one, kind, reread }: { one: Case; kind: Kind; reread: () => void }) {
  const gates = kind.gates.length > 0;
  if (!one.parent && one.children.length === 0 && one.waits_for.length === 0 && !gates && kind.children.length === 0) return null;
  return (
    <section class="panel" data-test="linked">
      {one.parent && (
        <>
          <h3>{t("cases.part_of")}</h3>
          <p>
            <a href={hrefOf("case", {}, one.parent)} class="mono">
              {one.parent}
            </a>
          </p>
        </>
      )}
      {(one.children.length > 0 || kind.children.length > 0) && (
        <>
          <h3>{t("cases.parts")}</h3>
          <Rows rows={one.children} />
          {!one.closed && (
            <p class="buttons">
              {kind.children.filter((type) => kindOf(type)?.may_open).map((type) => (
                <a key={type} class="plain" href={hrefOf("new", { type, parent: one.id, area: one.area })}>
                  + {named(kindOf(type)?.label, type)}
                </a>
              ))}
              {kind.children.some((type) => kindOf(type)?.may_open) && (
                <a class="plain" href={hrefOf("import", { type: kind.children.find((type) => kindOf(type)?.may_open)!, parent: one.id })} data-test="parts-from-sheet">
                  {t("sheet.open")}
                </a>
              )}
            </p>
          )}
        </>
      )}
      {(gates || one.waits_for.length > 0) && (
        <>
          <h3>{t("cases.waits_for")}</h3>
          <Rows rows={one.waits_for} />
          {kind.gates.map((gate) => (
            <p key={gate.step} class="quiet">
              {t("cases.gate", { step: labelOf(kind.steps, gate.step), type: named(kindOf(gate.type)?.label, gate.type), states: gate.states.map((state) => labelOf(kindOf(gate.type)?.states, state)).join(t("list.comma")) })}
            </p>
          ))}
          {gates && !one.closed && one.steps.length > 0 && <LinkForm one={one} reread={reread} />}
        </>
      )}
    </section>
  );
}

function Rows({ rows }: { rows: Linked[] }) {
  if (rows.length === 0) return <p class="quiet">{t("cases.none_yet")}</p>;
  return (
    <ul class="linked">
      {rows.map((row) => (
        <li key={row.id}>
          <a href={hrefOf("case", {}, row.id)}>
            {named(kindOf(row.type)?.label, row.type)} <span class="mono">{row.id}</span>
          </a>{" "}
          <span class={`state-tag${row.closed ? " is-closed" : ""}`}>{labelOf(kindOf(row.type)?.states, row.state)}</span>
        </li>
      ))}
    </ul>
  );
}

function LinkForm({ one, reread }: { one: Case; reread: () => void }) {
  const [other, setOther] = useState("");
  const { busy, once } = useOnce();
  const [fault, setFault] = useState<unknown>(null);
  const send = async (): Promise<void> => {
    setFault(null);
    try {
      await cases.link(one.id, other.trim());
      setOther("");
      reread();
    } catch (refused) {
      setFault(refused);
    }
  };
  return (
    <form
      class="link-form"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(send);
      }}
    >
      <input value={other} required maxLength={64} placeholder={t("cases.case_id")} aria-label={t("cases.case_id")} onInput={(typed) => setOther(typed.currentTarget.value)} />
      <button type="submit" class="plain" aria-busy={busy}>
        {t("cases.link")}
      </button>
      <Refusal fault={fault} />
    </form>
  );
}

/** Whom the clocks have told: warnings, breaches and climbs. */
export function ToldList({ one, kind }: { one: Case; kind: Kind }) {
  if (one.told.length === 0) return null;
  return (
    <section class="panel" data-test="told">
      <h3>{t("cases.told")}</h3>
      <ul class="told">
        {one.told.map((line) => (
          <li key={`${line.clock} ${line.at} ${line.share} ${line.to}`}>
            <span class="quiet">{momentOf(line.at)}</span>
            {t("cases.told_line", { clock: labelOf(kind.clocks, line.clock), share: share(line.share), whom: `${word("climb", line.to)} ${areaText(line.area)}` })}
            {line.letter && <b class="tag">{t("cases.letter")}</b>}
          </li>
        ))}
      </ul>
    </section>
  );
}
