import type { Case, Kind } from "../cases/api.ts";
import { dateOf, integer, named, share, t, word } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { underway, type Compared, type Ratio } from "./api.ts";

/** What the district counts for a case by itself, and whether a place has changed. */
export function CountedPanel({ one, kind }: { one: Case; kind: Kind }) {
  const counts = kind.fields.some((field) => field.counted);
  const told = useAsked(`counted ${one.id} ${counts}`, one.n_changes, () => (counts ? underway.counted(one.id) : Promise.resolve({ numbers: [], compared: [] })));
  const numbers = told.answer?.numbers.filter((each) => each.value !== null || each.from_at !== null) ?? [];
  if (numbers.length === 0) return null;
  return (
    <section class="panel" data-test="counted">
      <h3>{t("counted.title")}</h3>
      <dl class="field-list">
        {numbers.map((each) => (
          <div key={each.field} class="is-wide">
            <dt>{named(kind.fields.find((field) => field.id === each.field)?.label, each.field)}</dt>
            <dd>
              <strong>{each.value === null ? t("counted.unknown") : integer(each.value)}</strong>{" "}
              {each.from_at && each.until_at && <span class="quiet">{t(each.whole ? "counted.days" : "counted.days_so_far", { from: dateOf(each.from_at), until: dateOf(each.until_at) })}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {told.answer?.compared.map((each) => (
        <Change key={each.before} one={each} />
      ))}
    </section>
  );
}

function Change({ one }: { one: Compared }) {
  return (
    <div data-test="change">
      <p>
        <strong class={`verdict is-${one.verdict}`}>{word("verdict", one.verdict)}</strong>
      </p>
      <p>{t("counted.ratio", { before: integer(one.n_before), after: integer(one.n_after), days: integer(Math.round(one.days_after)), ratio: ratioText(one.ratio), level: share(one.level) })}</p>
      {one.against && one.elsewhere_before !== null && one.elsewhere_after !== null && <p>{t("counted.against", { before: integer(one.elsewhere_before), after: integer(one.elsewhere_after), ratio: ratioText(one.against) })}</p>}
      <p class="quiet">{t("counted.caution")}</p>
    </div>
  );
}

function ratioText(one: Ratio): string {
  const value = one.value === null ? "—" : share(one.value);
  return `${value} (${share(one.low)}–${one.high === null ? "∞" : share(one.high)})`;
}
