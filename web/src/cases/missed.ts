import { t, type Key } from "../i18n.ts";

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
