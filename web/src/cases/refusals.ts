/** What the server refuses, in the language of the page where the page knows the rule; else as the server said it. */

import { ApiError } from "../api.ts";
import { lang, named, t, type Key } from "../i18n.ts";
import type { Refused as RefusedForm } from "../shapes.ts";
import type { Step } from "./api.ts";

/** The rules of steps and places that people meet at work, by how they begin. */
const RULES: readonly [RegExp, string][] = [
  [/^must not be done by whoever did /, "other_eyes"],
  [/^must be done by another unit than /, "other_unit"],
  [/^must be granted to you/, "role"],
  [/^must be granted for this area/, "right"],
  [/^must be all of them/, "seen"],
  [/^does not leave /, "elsewhere"],
  [/^must be filled in/, "filled"],
  [/^must come with /, "evidence"],
  [/^must say why/, "note"],
  [/^must be another file than /, "apart"],
  [/^must be closed (first|before)/, "closed_first"],
  [/^must wait for a /, "gate"],
  [/^must wait: /, "guard"],
  [/^must be there at least /, "waits"],
  [/^must be there at most /, "within"],
  [/^must be from /, "range"],
  [/^must be a whole number/, "whole"],
  [/^must be a number/, "number"],
  [/^must be a date/, "date"],
  [/^must be one of /, "option"],
  [/^must lie inside the district/, "inside"],
  [/^must be given as lon and lat/, "place"],
  [/^does not exist, or not for you/, "missing"],
  [/^must be PNG, JPEG, PDF/, "file"],
  [/^must have 1 to /, "size"],
  [/^\(\d+ faults in /, "rows"],
];

export interface Refused {
  value: string;
  rule: string;
  next: string;
}

/** The three parts of a refusal. A `step` that was refused lends its own words: its name, and its condition. */
export function refusalText(fault: ApiError, step?: Step | null): Refused {
  const said = { value: fault.value, rule: fault.rule, next: fault.nextStep };
  if (lang.value !== "zh") return said;
  const known = RULES.find(([begins]) => begins.test(fault.rule));
  if (!known) return { ...said, rule: fault.zh?.rule ?? fault.rule, next: fault.zh?.next_step ?? fault.nextStep };
  const [begins, name] = known;
  const rest = name === "guard" && step?.because ? named(step.because) : fault.rule.replace(begins, "");
  const value = step && fault.value === step.id ? named(step.label, step.id) : fault.value;
  return { value, rule: t(`rule.${name}` as Key, { rest }), next: t(`rule.${name}_next` as Key) };
}

/** What came to nothing beside, as it would have been refused at once. */
export const faultFrom = (one: RefusedForm): ApiError => new ApiError(one.code, one.message, 0, one.next_step, one.value, one.rule, one.zh);

/** A rule and its next step, as of a row in a sheet, in the language of the page where it knows them. */
export function ruleText(rule: string, next: string): { rule: string; next: string } {
  const found = lang.value === "zh" ? RULES.find(([begins]) => begins.test(rule)) : undefined;
  if (!found) return { rule, next };
  const [begins, name] = found;
  return { rule: t(`rule.${name}` as Key, { rest: rule.replace(begins, "") }), next: t(`rule.${name}_next` as Key) };
}

/** Why a routing rule did not decide. */
const MISSED: readonly [RegExp, Key][] = [
  [/^does not lie in /, "missed.area"],
  [/^lies in no /, "missed.level"],
  [/^not so: /, "missed.not_so"],
  [/^cannot tell whether /, "missed.untold"],
  [/^cannot compare: /, "missed.compare"],
];

export function missedText(missed: string): string {
  const known = MISSED.find(([begins]) => begins.test(missed));
  return known ? t(known[1], { rest: missed.replace(known[0], "") }) : missed;
}
