import type { Suspicion } from "../shapes.ts";
import { density, integer, t, timeOf } from "../i18n.ts";

const amount = (n: number | null): string => (n === null ? "–" : n < 10 ? density(n) : integer(Math.round(n)));

/** What a device is suspected of, in words and numbers. */
export function evidenceOf(of: Suspicion): string {
  const part = of.fault === "swapped" ? 100 : 1;
  return t(`fault.${of.fault}`, {
    minutes: of.minutes ?? "–",
    counted: amount(of.counted_per_min === null ? null : of.counted_per_min * part),
    expected: amount(of.expected_per_min === null ? null : of.expected_per_min * part),
    off: of.off_s === null ? "–" : integer(Math.round(of.off_s)),
    ratio: of.ratio === null ? "–" : density(of.ratio),
  });
}

/** The evidence on a device's card, and whether the estimate does without it. */
export function Suspected({ of }: { of: Suspicion | null | undefined }) {
  if (!of) return null;
  return (
    <p class="suspected" role="status" data-test="suspicion">
      <strong>{evidenceOf(of)}</strong>
      {of.left_out && of.since_at && <span class="block">{t("fault.left_out", { at: timeOf(of.since_at) })}</span>}
    </p>
  );
}
