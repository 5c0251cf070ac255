import type { Case, Kind } from "../cases/api.ts";
import { referenceName } from "../cases/known.ts";
import { density, integer, people, t, timeOf, word } from "../i18n.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { underway, type Live, type Trigger, type Zone } from "./api.ts";
import { amount, condition, FiringRow } from "./FiringRow.tsx";
import { beat } from "./firings.ts";

/** A plan at this minute: how full its zones are, how far each trigger is, and what fired. */
export function LivePanel({ one, kind }: { one: Case; kind: Kind }) {
  return kind.runs && !one.closed ? <Shown one={one} /> : null;
}

function Shown({ one }: { one: Case }) {
  const told = useAsked(`live ${one.id} ${one.n_changes}`, beat.value, () => underway.live(one.id));
  const live = told.answer;
  if (!live || live.zones.length === 0) return null;
  return (
    <section class={`panel live-panel${live.runs ? " is-on" : ""}`} data-test="live">
      <h3>
        {t("live.title")} <span class={`tag${live.runs ? " is-live" : ""}`}>{t(live.runs ? "live.runs" : "live.shown_only")}</span>
        {live.at && <span class="quiet"> {timeOf(live.at)}</span>}
      </h3>
      <Zones live={live} />
      <Triggers live={live} />
      <Devices live={live} />
      <Staff live={live} />
      {live.firings.length > 0 && (
        <>
          <h4>{t("live.fired_so_far", { n: live.firings.length })}</h4>
          <ul class="firings" aria-live="polite">
            {live.firings.map((each) => (
              <FiringRow key={each.id} one={each} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Zones({ live }: { live: Live }) {
  return (
    <TableScroll name={t("live.title")}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("live.zone")}</th>
            <th scope="col">{t("live.ground")}</th>
            <th scope="col" class="number">
              {t("live.now")}
            </th>
            <th scope="col" class="number">
              {t("live.capacity")}
            </th>
            <th scope="col" class="number">
              {t("live.density")}
            </th>
          </tr>
        </thead>
        <tbody>
          {live.zones.map((zone) => (
            <tr key={zone.zone} data-test="zone">
              <th scope="row">{zone.zone}</th>
              <td>{referenceName("ground", zone.ground)}</td>
              <td class="number">
                <Persons zone={zone} />
              </td>
              <td class="number">
                {integer(zone.capacity)}
                <Meter value={zone.estimate?.occupancy ?? null} limit={zone.capacity} />
              </td>
              <td class="number">
                {zone.estimate?.density_per_m2 == null ? "—" : density(zone.estimate.density_per_m2)} <span class="quiet">/ {density(zone.most_per_m2)}</span>
                <Meter value={zone.estimate?.density_per_m2 ?? null} limit={zone.most_per_m2} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Persons({ zone }: { zone: Zone }) {
  const made = zone.estimate;
  if (!made) return <>—</>;
  if (made.hidden) return <>{`<${integer(made.high ?? 10)}`}</>;
  if (made.occupancy === null) return <span class="quiet">{made.unknown ? word("unknown", made.unknown) : "—"}</span>;
  return (
    <>
      <strong>{people(made.occupancy)}</strong>
      {made.low !== null && made.high !== null && (
        <span class="quiet block">
          {people(made.low)}–{people(made.high)}
        </span>
      )}
    </>
  );
}

/** How much of a limit is used up. Told in numbers beside it. */
function Meter({ value, limit }: { value: number | null; limit: number }) {
  if (value === null || limit <= 0) return null;
  const part = value / limit;
  return (
    <span class={`live-meter${part > 1 ? " is-over" : part > 0.8 ? " is-near" : ""}`} aria-hidden="true">
      <i style={{ width: `${Math.min(100, 100 * part)}%` }} />
    </span>
  );
}

function Triggers({ live }: { live: Live }) {
  if (live.triggers.length === 0) return null;
  return (
    <>
      <h4>{t("live.triggers")}</h4>
      <ul class="live-triggers">
        {live.triggers.map((one) => (
          <li key={one.row} class={one.firing ? "is-on" : one.since_at ? "is-near" : ""} data-test="trigger">
            <span>
              <b>{one.zone}</b> {condition(one)} → {one.action} <span class="quiet">({one.office})</span>
            </span>
            <span class="number">{one.value === null ? t("live.unknown") : amount(one.measure, one.value)}</span>
            <span class="quiet">{stateOf(one, live)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function stateOf(one: Trigger, live: Live): string {
  if (one.firing) return t("live.is_on");
  if (one.value === null) return t("live.not_counted"); // unknown is not below
  if (one.since_at) return t("live.above_since", { time: timeOf(one.since_at) });
  return t(live.runs ? "live.quiet" : "live.not_running");
}

function Devices({ live }: { live: Live }) {
  if (live.devices.length === 0) return null;
  return (
    <>
      <h4>{t("live.devices")}</h4>
      <ul class="live-triggers">
        {live.devices.map((one) => (
          <li key={`${one.device} ${one.measure}`} class={one.value !== null && one.value > one.limit ? "is-near" : ""}>
            <span>
              <b>{one.zone}</b> {referenceName("device", one.device)} <span class="quiet">{word("zone_measure", one.measure)}</span>
            </span>
            <span class="number">{one.value === null ? t("live.silent") : amount(one.measure, one.value)}</span>
            <span class="quiet">{t("live.limit", { limit: amount(one.measure, one.limit) })}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Staff({ live }: { live: Live }) {
  if (live.staffing.length === 0) return null;
  return (
    <>
      <h4>{t("live.staffing")}</h4>
      <ul class="live-triggers" data-test="staffing">
        {live.staffing.map((one) => (
          <li key={one.zone} class={one.n_seated !== null && one.n_seated < one.n_volunteers ? "is-near" : ""}>
            <span>
              <b>{one.zone}</b> {t("live.staff", { n: integer(one.n_staff) })}
            </span>
            <span class="number">{t("live.volunteers", { n: one.n_seated === null ? "—" : integer(one.n_seated), wanted: integer(one.n_volunteers) })}</span>
            <span class="quiet">{one.n_places === null ? "" : t("live.places", { n: integer(one.n_places) })}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
