import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { api } from "../api.ts";
import type { Area, Device, District, Place, Proven, Watch } from "../shapes.ts";
import { alerts, areasOf, devices, level, minute, places, selection, severity, stale, tab, trails, watches, type Selection, type Tab } from "../desk.ts";
import { dateOf, density, integer, kindOfPlace, named, people, share, t, timeOf, word } from "../i18n.ts";
import type { MapHandle } from "../map/DeskMap.tsx";
import { STATES } from "../map/symbols.ts";
import { waiting } from "../reach.ts";
import { may } from "../staff.ts";
import { firings } from "../underway/firings.ts";
import { Alerts } from "./Alerts.tsx";
import { Bar, Class, shortOccupancy } from "./EstimateView.tsx";
import { Icon, type IconName } from "./Icon.tsx";
import { Reach } from "./Reach.tsx";
import { LeftOut, matches, More, Seek, sought } from "./Seek.tsx";
import { Spark } from "./Spark.tsx";
import { evidenceOf } from "./Suspected.tsx";
import { DeviceSymbol } from "./Symbol.tsx";
import { useAsked } from "./useAsked.ts";

const TABS: readonly { id: Tab; icon: IconName }[] = [
  { id: "alerts", icon: "warn" },
  { id: "reach", icon: "siren" },
  { id: "places", icon: "place" },
  { id: "devices", icon: "device" },
  { id: "areas", icon: "area" },
  { id: "watches", icon: "watch" },
];
const SHOWN = 200; // rows at once; the filter reaches the others

/** The lists beside the map: everything the map shows, reachable without it. */
export function Lists({ district, map }: { district: District; map: Signal<MapHandle | null> }) {
  const step = (key: KeyboardEvent): void => {
    const by = key.key === "ArrowRight" ? 1 : key.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    const at = TABS.findIndex((one) => one.id === tab.value);
    tab.value = TABS[(at + by + TABS.length) % TABS.length]!.id;
    requestAnimationFrame(() => document.getElementById(`tab-${tab.value}`)?.focus());
  };
  return (
    <aside class="lists" aria-label={t("lists.label")}>
      <div class="tabs" role="tablist" aria-label={t("lists.label")} onKeyDown={step}>
        {TABS.map(({ id, icon }) => (
          <button type="button" key={id} id={`tab-${id}`} role="tab" aria-selected={tab.value === id} aria-controls="list" tabIndex={tab.value === id ? 0 : -1} onClick={() => (tab.value = id)} data-test={`tab-${id}`}>
            <Icon name={icon} size={17} />
            {word("tab", id)}
            {id === "reach" && waiting().length > 0 && <b class="tab-count rung-red">{integer(waiting().length)}</b>}
            {id === "alerts" && alerts.value.length + firings.value.length > 0 && <b class={`tab-count rung-${firings.value.length > 0 ? "red" : alerts.value[0]!.rung}`}>{integer(alerts.value.length + firings.value.length)}</b>}
          </button>
        ))}
      </div>
      <Seek />
      <div id="list" tabIndex={-1} role="tabpanel" aria-labelledby={`tab-${tab.value}`} class={`list${stale.value ? " is-stale" : ""}`}>
        {tab.value === "alerts" && <Alerts map={map} />}
        {tab.value === "reach" && <Reach map={map} />}
        {tab.value === "places" && <Places map={map} />}
        {tab.value === "devices" && <Devices map={map} />}
        {tab.value === "areas" && <Areas district={district} map={map} />}
        {tab.value === "watches" && <Watches map={map} />}
      </div>
    </aside>
  );
}

function choose(chosen: Selection, map: MapHandle | null, geometry: GeoJSON.Geometry | null | undefined): void {
  selection.value = chosen;
  if (geometry) map?.fly(geometry);
}

function isChosen(kind: Selection["kind"], id: string): boolean {
  const chosen = selection.value;
  if (chosen?.kind === "line" || chosen?.kind === "raise") return false;
  if (chosen?.kind === "polygon") return kind === "polygon" && chosen.watch?.id === id;
  return chosen?.kind === kind && chosen.id === id;
}

/** What matters first: crowded above thresholds, then fullness, then the unknown, key areas before others. */
function byWeight(a: Place, b: Place): number {
  const weight = (one: Place): number => severity(one) * 100 + Math.min(one.share_of_capacity ?? 0, 5) * 10 + (one.key ? 0.5 : 0) + (one.estimate.density_per_m2 ?? 0);
  return weight(b) - weight(a) || named(a.name).localeCompare(named(b.name));
}

function Places({ map }: { map: Signal<MapHandle | null> }) {
  const shown = places.value.filter((one) => matches(one.id, one.name.zh, one.name.en, kindOfPlace(one.kind))).sort(byWeight);
  if (places.value.length === 0) return <p class="empty">{t("places.none")}</p>;
  return (
    <>
      <LeftOut n={places.value.length - shown.length} />
      <ul class="rows">
        {shown.slice(0, SHOWN).map((one) => (
          <li key={one.id}>
            <button type="button" class={`row place severity-${Math.max(0, severity(one))}`} aria-pressed={isChosen("place", one.id)} onClick={() => choose({ kind: "place", id: one.id }, map.value, map.value?.geometryOf("places", one.id))} data-test={`place-${one.id}`}>
              <span class="row-head">
                <span class="row-name">
                  {one.key && <i class="key" title={t("place.key")} aria-label={t("place.key")} />}
                  {named(one.name, one.id)}
                </span>
                <strong class={one.estimate.unknown !== null ? "is-unknown" : ""}>{shortOccupancy(one.estimate)}</strong>
              </span>
              <span class="row-foot">
                {one.capacity ? <Bar of={one.estimate.unknown === null ? one.share_of_capacity : null} /> : <span class="bar bar-absent" />}
                <span class="row-share">{one.share_of_capacity !== null && one.estimate.unknown === null ? share(one.share_of_capacity) : ""}</span>
                <Spark points={trails.value.get(one.id) ?? []} />
                <Class of={one.estimate.unknown === null ? one.estimate.level_of_service : null} />
              </span>
              <span class="row-note quiet">
                {one.estimate.unknown !== null ? word("unknown", one.estimate.unknown) : `${one.estimate.density_per_m2 === null ? "" : t("unit.per_m2", { n: density(one.estimate.density_per_m2) })}${one.capacity ? ` · ${t("capacity.is", { capacity: people(one.capacity) })}` : ""}`}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <More n={shown.length - SHOWN} />
    </>
  );
}

const URGENCY: readonly string[] = ["suspect", "silent", "never", "late", "ok", "withdrawn"];

function Devices({ map }: { map: Signal<MapHandle | null> }) {
  const shown = devices.value
    .filter((one) => matches(one.id, one.name.zh, one.name.en, word("kind", one.kind), word("state", one.state)))
    .sort((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state) || a.id.localeCompare(b.id));
  const counts = STATES.map((state) => ({ state, n: devices.value.filter((one) => one.state === state).length })).filter(({ n }) => n > 0);
  if (devices.value.length === 0) return <p class="empty">{t("devices.none")}</p>;
  return (
    <>
      <LeftOut n={devices.value.length - shown.length} />
      <p class="tally">
        {counts.map(({ state, n }) => (
          <span key={state}>
            <DeviceSymbol kind="area" state={state} />
            {word("state", state)} {integer(n)}
          </span>
        ))}
      </p>
      <HowProven />
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("device.device")}</th>
            <th scope="col">{t("device.state")}</th>
            <th scope="col" class="number">{t("device.per_minute")}</th>
          </tr>
        </thead>
        <tbody>
          {shown.slice(0, SHOWN).map((one) => (
            <tr key={one.id} class={isChosen("device", one.id) ? "is-chosen" : ""}>
              <td>
                <button type="button" class="link" onClick={() => choose({ kind: "device", id: one.id }, map.value, map.value?.geometryOf("devices", one.id))} data-test={`device-${one.id}`}>
                  <DeviceSymbol kind={one.kind} state={one.state} />
                  {named(one.name, one.id)}
                </button>
              </td>
              <td>
                {word("state", one.state)}
                <span class="quiet block">{one.suspicion ? evidenceOf(one.suspicion) : one.last_end_at ? timeOf(one.last_end_at) : ""}</span>
              </td>
              <td class="number">{rateOf(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <More n={shown.length - SHOWN} />
    </>
  );
}

/** How the intervals held on the last night's withheld cameras: the share is that of intervals which knew nothing of that day. */
function HowProven() {
  const allowed = may("devices.read", true);
  const { answer } = useAsked<Proven | null>(`proven ${allowed}`, 0, () => (allowed ? api.proven() : Promise.resolve(null)));
  if (answer === null) return null;
  const { day, factor } = answer;
  const told =
    day === null
      ? t("proven.none")
      : t("proven.told", { on: dateOf(`${day.on}T12:00:00Z`), n: integer(day.views.length), held: integer(100 * day.held_before), factor: factor.toFixed(2) });
  return (
    <p class="proven quiet" data-test="intervals-proven">
      {told}
    </p>
  );
}

/** What a device last told, in one short text. */
export function rateOf(one: Device): string {
  if (one.per_minute !== null) return one.per_minute < 10 ? density(one.per_minute) : integer(Math.round(one.per_minute));
  const present = one.last?.present;
  return present === null || present === undefined ? "–" : t("device.present_n", { n: integer(present) });
}

function Areas({ district, map }: { district: District; map: Signal<MapHandle | null> }) {
  const of = level.value;
  const { answer, error } = useAsked<Area[]>(of, minute.value, () => (of === "" ? Promise.resolve([]) : areasOf(of, minute.value)));
  const shown = useMemo(
    () => (answer ?? []).filter((one) => matches(one.id, one.name.zh, one.name.en)).sort((a, b) => (b.estimate?.occupancy ?? -1) - (a.estimate?.occupancy ?? -1)),
    [answer, sought.value],
  );
  return (
    <>
      <LevelPicker district={district} />
      {error && <p class="empty is-error">{error}</p>}
      {of === "" && <p class="empty">{t("areas.pick")}</p>}
      {of !== "" && !answer && !error && <p class="empty">{t("app.loading")}</p>}
      <LeftOut n={(answer?.length ?? 0) - shown.length} />
      <ul class="rows">
        {shown.slice(0, SHOWN).map((one) => (
          <li key={one.id}>
            <button type="button" class="row" aria-pressed={isChosen("area", one.id)} onClick={() => choose({ kind: "area", id: one.id, level: of }, map.value, map.value?.geometryOf("areas", one.id))} data-test={`area-${one.id}`}>
              <span class="row-head">
                <span class="row-name is-whole">{named(one.name, one.id)}</span>
                <strong class={!one.estimate || one.estimate.unknown !== null ? "is-unknown" : ""}>{shortOccupancy(one.estimate)}</strong>
              </span>
              <span class="row-note quiet">
                {one.estimate && one.estimate.unknown !== null ? word("unknown", one.estimate.unknown) : ""}
                {one.estimate?.density_per_m2 != null && one.estimate.unknown === null ? t("unit.per_m2", { n: density(one.estimate.density_per_m2) }) : ""}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <More n={shown.length - SHOWN} />
    </>
  );
}

export function LevelPicker({ district }: { district: District }) {
  return (
    <label class="levels">
      <span>{t("areas.level")}</span>
      <select value={level.value} onChange={(change) => (level.value = change.currentTarget.value)} data-test="level">
        <option value="">{t("areas.no_level")}</option>
        {district.levels.map(({ key, label }) => (
          <option key={key} value={key}>
            {named(label, key)} ({integer(district.n_areas[key] ?? 0)})
          </option>
        ))}
      </select>
    </label>
  );
}

function Watches({ map }: { map: Signal<MapHandle | null> }) {
  const shown = watches.value.filter((one) => matches(one.name));
  if (watches.value.length === 0) return <p class="empty">{t("watches.none")}</p>;
  const open = (one: Watch): void => choose({ kind: "polygon", polygon: one.polygon, name: one.name, watch: { id: one.id, version: one.version } }, map.value, one.polygon);
  return (
    <>
      <LeftOut n={watches.value.length - shown.length} />
      <ul class="rows">
        {shown.map((one) => (
          <li key={one.id}>
            <button type="button" class="row" aria-pressed={isChosen("polygon", one.id)} onClick={() => open(one)} data-test="watch">
              <span class="row-head">
                <span class="row-name">{one.name}</span>
                <strong>{shortOccupancy(one.estimate)}</strong>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
