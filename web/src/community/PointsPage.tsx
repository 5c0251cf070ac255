import { useState } from "preact/hooks";
import { address, ask } from "../cases/address.ts";
import { areaText } from "../cases/words.ts";
import { district } from "../desk.ts";
import { integer, lang, named, share, t } from "../i18n.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { community, type Covered, type KindCover, type Point } from "./api.ts";
import { PointsMap } from "./PointsMap.tsx";

const WALKS_S = [300, 600];
const WORST = 40;

/** Where residents find somebody, and who lives within a walk of it: on the map, and as a table. */
export function PointsPage() {
  const asked = address.value.ask;
  const every = district.value?.levels ?? [];
  const level = asked.get("level") ?? every[1]?.key ?? "";
  const points = useAsked<Point[]>("points", 0, () => community.points());
  const covered = useAsked<Covered>(`coverage ${level}`, 0, () => community.coverage(level));
  const kinds = covered.answer?.kinds ?? [];
  const levels = every.filter((one) => one.key === level || covered.answer?.levels.includes(one.key));
  const kind = kinds.find((one) => one.kind === asked.get("kind")) ?? kinds[0];
  const within = Number(asked.get("within") ?? WALKS_S[0]);
  const [chosen, setChosen] = useState("");
  const of = points.answer?.filter((one) => one.kind === kind?.kind) ?? [];
  return (
    <div class="points-page" data-test="points-page">
      <div class="board-head">
        <label>
          <span>{t("community.walk")}</span>
          <select value={within} onChange={(change) => ask({ within: change.currentTarget.value })} data-test="points-within">
            {WALKS_S.map((s) => (
              <option key={s} value={s}>
                {t("unit.minutes", { n: s / 60 })}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("areas.level")}</span>
          <select value={level} onChange={(change) => ask({ level: change.currentTarget.value })} data-test="points-level">
            {levels.map((one) => (
              <option key={one.key} value={one.key}>
                {named(one.label, one.key)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {(covered.error || points.error) && <p class="refusal">{covered.error || points.error}</p>}
      {!covered.answer && !covered.error && <p class="empty">{t("app.loading")}</p>}
      {covered.answer && kinds.length === 0 && <p class="empty">{t("community.no_points")}</p>}
      {kind && covered.answer && (
        <div class="points-columns">
          <div class="points-side">
            <Kinds kinds={kinds} chosen={kind.kind} within={within} />
            <Worst key={level} covered={covered.answer} kind={kind} within={within} chosen={chosen} choose={setChosen} />
          </div>
          <div class="points-main">
            <PointsMap covered={covered.answer.areas} property={`${kind.kind}_${within}`} points={of} chosen={chosen} choose={setChosen} />
            <List of={of} chosen={chosen} choose={setChosen} />
          </div>
        </div>
      )}
    </div>
  );
}

const shareOf = (kind: KindCover, within: number): number | null => {
  const told = kind.shares.find((one) => one.within_s === within);
  return told?.residents ?? told?.ground ?? null;
};
const shareText = (part: number | null): string => (part === null ? t("unknown.short") : share(part));

/** Every kind with its share; choosing one shows it on the map. */
function Kinds({ kinds, chosen, within }: { kinds: KindCover[]; chosen: string; within: number }) {
  const residents = kinds.some((one) => one.shares.some((each) => each.residents !== null));
  return (
    <section class="panel">
      <h3>{t("community.covered", { n: within / 60 })}</h3>
      <ul class="kind-list" role="list">
        {kinds.map((one) => (
          <li key={one.kind}>
            <button type="button" class="kind-row" aria-pressed={one.kind === chosen} onClick={() => ask({ kind: one.kind })} data-test={`kind-${one.kind}`}>
              <span>
                {named(one.kind_name, one.kind)} <span class="quiet">{t("community.n_points", { n: integer(one.points) })}</span>
              </span>
              <b>{shareText(shareOf(one, within))}</b>
              <span class="bar" aria-hidden="true">
                <i style={{ width: `${100 * (shareOf(one, within) ?? 0)}%` }} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p class="quiet hint">{t(residents ? "community.of_residents" : "community.of_ground")}</p>
    </section>
  );
}

/** The table that says the same as the map, the least covered first. */
function Worst({ covered, kind, within, chosen, choose }: { covered: Covered; kind: KindCover; within: number; chosen: string; choose: (id: string) => void }) {
  const [whole, setWhole] = useState(false);
  const part = (one: Covered["areas"]["features"][number]): number | null => one.properties[`${kind.kind}_${within}`] as number | null;
  const rows = [...covered.areas.features].sort((a, b) => (part(a) ?? 2) - (part(b) ?? 2));
  return (
    <section class="panel" data-test="covered-areas">
      <h3>{t("community.least_covered")}</h3>
      <TableScroll name={t("community.least_covered")}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{t("cases.area")}</th>
              <th scope="col" class="number">
                {t("community.residents")}
              </th>
              <th scope="col" class="number">
                {t("community.share")}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, whole ? rows.length : WORST).map((one) => {
              const id = String(one.properties["id"]);
              const residents = one.properties["residents"] as number | null;
              return (
                <tr key={id} class={id === chosen ? "is-chosen" : ""}>
                  <th scope="row">
                    <button type="button" class="link" onClick={() => choose(id)}>
                      {(one.properties[`name_${lang.value}`] as string | undefined) || areaText(id)}
                    </button>
                  </th>
                  <td class="number">{residents === null ? "–" : integer(residents)}</td>
                  <td class="number">{shareText(part(one))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </TableScroll>
      {rows.length > WORST && !whole && (
        <button type="button" class="plain" onClick={() => setWhole(true)}>
          {t("community.all_areas", { n: integer(rows.length) })}
        </button>
      )}
    </section>
  );
}

function List({ of, chosen, choose }: { of: Point[]; chosen: string; choose: (id: string) => void }) {
  return (
    <section class="panel" data-test="points">
      <h3>{t("community.points_here", { n: integer(of.length) })}</h3>
      <ul class="point-list">
        {of.map((one) => (
          <li key={one.id}>
            <button type="button" class="link" aria-pressed={chosen === one.id} onClick={() => choose(one.id)}>
              {named(one.name, one.id)}
            </button>{" "}
            <span class={one.open === true ? "is-open" : "quiet"}>{t(one.open === null ? "community.hours_unknown" : one.open ? "community.is_open" : "community.is_shut")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
