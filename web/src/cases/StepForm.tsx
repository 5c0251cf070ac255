import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { say } from "../desk.ts";
import { named, t, timeOf } from "../i18n.ts";
import { useFocusReturn } from "../parts/focus.ts";
import { useOnce } from "../parts/useOnce.ts";
import { cases, type Case, type Filled, type Kind, type Line, type Step } from "./api.ts";
import { EvidenceInput } from "./EvidenceInput.tsx";
import { FieldInput } from "./FieldInput.tsx";
import { Refusal } from "./parts.tsx";
import { Unsent } from "./unsent.ts";
import { labelOf } from "./words.ts";

/** Whether a step asks for nothing: it is taken at one press. */
export const isPlain = (step: Step): boolean => step.fills.length + step.evidence.length === 0 && !step.note;

/** What a form begins with: what was told before, but never what must be told anew. */
function before(one: Case, step: Step): Filled {
  return Object.fromEntries(step.fills.filter((name) => !step.anew.includes(name) && one.fields[name] !== undefined).map((name) => [name, one.fields[name]]));
}

interface Bound {
  one: Case;
  kind: Kind;
  step: Step;
  history: Line[];
  /** Called when the step was taken, and when the case must be read again. */
  done: () => void;
  reread: () => void;
  close: () => void;
}

/** A step as a form of what it takes. What was written stays when somebody else acts first: they are told of it instead. */
export function StepForm({ one, kind, step, history, done, reread, close }: Bound) {
  const [seen, setSeen] = useState(one.n_changes);
  const [filled, setFilled] = useState<Filled>(() => before(one, step));
  const [evidence, setEvidence] = useState<Record<string, string>>({});
  const [unsent] = useState(() => new Unsent());
  const [note, setNote] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const box = useRef<HTMLFormElement>(null);
  useFocusReturn(box);
  useEffect(() => box.current?.querySelector<HTMLElement>("input, select, textarea, button")?.focus(), []);
  const overtaken = one.n_changes > seen;
  const allowed = one.steps.some((each) => each.id === step.id);
  const send = async (): Promise<void> => {
    setFault(null);
    try {
      const arrived = await unsent.rest(evidence);
      setEvidence(arrived);
      await cases.step(one.id, { step: step.id, filled, evidence: arrived, note, seen });
      say(t("cases.taken", { step: named(step.label, step.id) }));
      done();
    } catch (refused) {
      setFault(refused);
      if (refused instanceof ApiError && refused.code === "conflict") reread();
    }
  };
  const needed = new Set([...step.needs, ...step.anew]);
  return (
    <form
      ref={box}
      class="step-form"
      data-test="step-form"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(send);
      }}
      onKeyDown={(key) => {
        if (key.key !== "Escape") return;
        key.stopPropagation(); // only the form closes, not the page
        close();
      }}
    >
      <h3>
        {named(step.label, step.id)} <span class="quiet">→ {labelOf(kind.states, step.to)}</span>
      </h3>
      {step.because && <p class="condition">{t("cases.condition", { condition: named(step.because) })}</p>}
      {overtaken && <Overtaken lines={history.slice(seen)} kind={kind} allowed={allowed} read={() => (setSeen(one.n_changes), setFault(null))} />}
      {step.fills.map((name) => {
        const field = kind.fields.find((each) => each.id === name);
        return field && <FieldInput key={name} field={field} value={filled[name]} others={{ ...one.fields, ...filled }} needed={needed.has(name) && !field.counted} set={(value) => setFilled((was) => withValue(was, name, value))} />;
      })}
      <EvidenceInput kind={kind} of={one.id} wanted={step.evidence} needed digests={evidence} set={setEvidence} unsent={unsent} />
      <label class="block field">
        <span>
          {t(step.note ? "cases.note_needed" : "cases.note")}
          {step.note && <i class="needed" aria-hidden="true" />}
        </span>
        <textarea rows={2} maxLength={4000} value={note} required={step.note} onInput={(typed) => setNote(typed.currentTarget.value)} data-test="step-note" />
      </label>
      {!(overtaken && isOvertaken(fault)) && <Refusal fault={fault} step={step} />}
      <p class="buttons">
        <button type="submit" class="primary" disabled={overtaken || !allowed} aria-busy={busy} data-test="take-step">
          {named(step.label, step.id)}
        </button>
        <button type="button" class="plain" onClick={close}>
          {t("draw.cancel")}
        </button>
      </p>
    </form>
  );
}

const isOvertaken = (fault: unknown): boolean => fault instanceof ApiError && /^must be all of them/.test(fault.rule);

export function withValue(was: Filled, name: string, value: unknown): Filled {
  if (value !== undefined) return { ...was, [name]: value };
  const { [name]: _, ...rest } = was;
  return rest;
}

/** Somebody else acted while this was being written: what they did, and whether it can still be done. */
function Overtaken({ lines, kind, allowed, read }: { lines: Line[]; kind: Kind; allowed: boolean; read: () => void }) {
  return (
    <div class="overtaken" role="alert" data-test="overtaken">
      <strong>{t("cases.overtaken")}</strong>
      <ul>
        {lines.map((line) => (
          <li key={line.at}>
            {t("cases.did", { time: timeOf(line.at), step: labelOf(kind.steps, line.step), state: labelOf(kind.states, line.target), unit: named(line.unit_name, line.unit) })}
            {line.note && <q>{line.note}</q>}
          </li>
        ))}
      </ul>
      {allowed ? (
        <button type="button" class="plain solid" onClick={read} data-test="go-on">
          {t("cases.go_on")}
        </button>
      ) : (
        <p>{t("cases.no_longer")}</p>
      )}
    </div>
  );
}
