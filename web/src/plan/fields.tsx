/** Fields of the form, each with its refusal beside it in the three parts that the server tells. */

import { useId } from "preact/hooks";
import { ApiError } from "../api.ts";
import { refusalText } from "../refusals.ts";
import { t } from "../i18n.ts";

export interface Fault {
  /** The field as the server names it, such as `rings.1.share`; empty where it is none of the form's. */
  name: string;
  value: string;
  rule: string;
  next: string;
}

/** What was refused, and of which field; null where the server refused nothing but failed. */
export function faultOf(refused: unknown, names: string[]): Fault | null {
  if (!(refused instanceof ApiError) || refused.rule === "") return null;
  const at = refused.value.split("=")[0] ?? "";
  return { name: names.includes(at) ? at : "", ...refusalText(refused) };
}

/** A field that is empty, or no number: told before the server is asked, for it would only see nothing. */
export const noNumber = (name: string): Fault => ({ name, value: "", rule: t("plan.rule_number"), next: t("plan.rule_number_next") });

/** The number that was typed; NaN where there is none: what is left empty is not zero. */
export const numberOf = (typed: string): number => (typed.trim() === "" ? Number.NaN : Number(typed));

const idOf = (name: string): string => `fault-${name}`;

/** The refusal of a field, beside it; nothing where it is another field's. */
export function Beside({ name, label, typed, unit = "", fault }: { name: string; label: string; typed: string; unit?: string; fault: Fault | null }) {
  const given = typed.trim() === "" ? t("plan.empty") : `${typed} ${unit}`.trim();
  if (fault?.name !== name) return null;
  return (
    <div role="alert" class="beside" id={idOf(name)} data-test="field-fault">
      <dl class="refusal">
        <dt>{t("refusal_part.value")}</dt>
        <dd>{name === "" ? fault.value : `${label}: ${given}`}</dd>
        <dt>{t("refusal_part.rule")}</dt>
        <dd>{fault.rule}</dd>
        <dt>{t("refusal_part.next")}</dt>
        <dd>{fault.next}</dd>
      </dl>
    </div>
  );
}

/** What a control says of itself where it was refused. */
export function marksOf(name: string, fault: Fault | null): { "aria-invalid"?: boolean; "aria-describedby"?: string } {
  return fault?.name === name ? { "aria-invalid": true, "aria-describedby": idOf(name) } : {};
}

interface Bound {
  name: string;
  label: string;
  unit?: string;
  value: string;
  set: (value: string) => void;
  fault: Fault | null;
  test: string;
}

export function NumberField({ name, label, unit, value, set, fault, test }: Bound) {
  const id = useId();
  return (
    <label for={id}>
      <span>{unit ? `${label} (${unit})` : label}</span>
      <input id={id} type="number" step="any" inputMode="decimal" value={value} onInput={(typed) => set(typed.currentTarget.value)} {...marksOf(name, fault)} data-test={test} />
    </label>
  );
}
