import type { Signal } from "@preact/signals";
import type { Incident, Proof, Unit } from "../shapes.ts";
import { api } from "../api.ts";
import { now, place, selection } from "../desk.ts";
import { duration, integer, named, share, t, word } from "../i18n.ts";
import type { MapHandle } from "../map/DeskMap.tsx";
import { STATUSES } from "../map/reachSymbols.ts";
import { act, beginRaising, cover, incident, incidents, kinds, post, proof, show, unit, units } from "../reach.ts";
import { may } from "../staff.ts";
import { Icon } from "./Icon.tsx";
import { LeftOut, matches } from "./Seek.tsx";
import { UnitSymbol } from "./UnitSymbol.tsx";
import { useOnce } from "./useOnce.ts";

/** Minutes and seconds, as a clock runs. */
export function clockOf(s: number): string {
  const whole = Math.max(0, Math.floor(s));
  const hours = Math.floor(whole / 3_600);
  const rest = `${String(Math.floor((whole % 3_600) / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** How long an incident has waited for the first arrival; it stands still once somebody is there. */
export function waitedS(one: Incident): number {
  const until = one.on_scene_at ?? one.closed_at;
  const end = until ? Date.parse(until) : (now.value ?? Date.parse(one.received_at));
  return (end - Date.parse(one.received_at)) / 1000;
}

export function whereOf(one: Incident): string {
  const at = one.place ? place(one.place) : undefined;
  return at ? named(at.name, at.id) : `${one.at[0].toFixed(4)}, ${one.at[1].toFixed(4)}`;
}

/** What needs a response, and who responds. */
export function Reach({ map }: { map: Signal<MapHandle | null> }) {
  const listed = incidents.value.filter((one) => matches(one.id, one.name.zh, one.name.en, whereOf(one)));
  const open = listed.filter((one) => one.state !== "closed");
  const waits = incidents.value.filter((one) => one.state !== "closed");
  const closed = listed.filter((one) => one.state === "closed").slice(0, 8);
  const board = units.value.filter((one) => matches(one.id, one.name.zh, one.name.en, word("status", one.status)));
  const goTo = (one: Incident): void => {
    show(one);
    map.value?.fly({ type: "Point", coordinates: one.at });
  };
  return (
    <>
      <Head />
      {waits.length === 0 && <p class="empty">{t("reach.none")}</p>}
      <LeftOut n={waits.length - open.length + units.value.length - board.length} />
      <ul class="rows" aria-label={t("reach.incidents")}>
        {[...open, ...closed].map((one) => (
          <Row key={one.id} one={one} go={() => goTo(one)} />
        ))}
      </ul>
      <h3 class="reach-title">{t("reach.units")}</h3>
      {units.value.length === 0 && <p class="empty">{t("reach.no_units")}</p>}
      {STATUSES.map((status) => (
        <Group key={status} status={status} of={board.filter((one) => one.status === status)} />
      ))}
      <ProofTable />
    </>
  );
}

function Head() {
  const { busy, once } = useOnce();
  const told = cover.value;
  const better = told?.move_up;
  return (
    <div class="reach-head">
      <p>
        {told && (
          <span title={t("reach.cover_note")} data-test="cover">
            {t("reach.cover", { share: share(told.cover) })}
          </span>
        )}
        {may("incidents.act") && kinds.value.length > 0 && (
          <button type="button" class="plain solid" onClick={beginRaising} data-test="raise-list">
            <Icon name="plus" size={15} />
            {t("reach.raise")}
          </button>
        )}
      </p>
      {better && may("incidents.act") && (
        <p class="reach-move" data-test="move-up">
          <span>
            {t("reach.move_up", { unit: named(unit(better.unit)?.name, better.unit), post: named(post(better.post)?.name, better.post), from: share(better.cover_now), to: share(better.cover_after) })}
          </span>
          <button type="button" class="plain" aria-busy={busy} onClick={() => void once(() => act(api.moveUnit(better.unit, better.post)))}>
            {t("reach.move")}
          </button>
        </p>
      )}
    </div>
  );
}

function Row({ one, go }: { one: Incident; go: () => void }) {
  const chosen = selection.value?.kind === "incident" && selection.value.id === one.id;
  const going = one.assignments.filter((part) => part.available_at === null).map((part) => named(unit(part.unit)?.name, part.unit));
  const late = one.target_s !== null && waitedS(one) > one.target_s;
  return (
    <li class={`incident state-${one.state}`} data-test="incident">
      <button type="button" class="row" aria-pressed={chosen} onClick={go}>
        <span class="row-head">
          <span class="row-name">
            <b class={`priority priority-${one.priority}`} title={t("reach.priority", { n: one.priority })}>
              {one.priority}
            </b>
            {named(one.name, one.kind)}
          </span>
          <strong class={late ? "is-late" : ""}>{clockOf(waitedS(one))}</strong>
        </span>
        <span class="row-note">
          <span class="state-word">{word("incident", one.state)}</span> · {whereOf(one)}
        </span>
        {going.length > 0 && <span class="row-note quiet">{going.join(t("list.comma"))}</span>}
      </button>
    </li>
  );
}

/** The units of one status: what each is on, and for how long. */
function Group({ status, of }: { status: Unit["status"]; of: Unit[] }) {
  if (of.length === 0) return null;
  return (
    <section class="board" aria-label={word("status", status)}>
      <h4>
        {word("status", status)} <span class="quiet">{integer(of.length)}</span>
      </h4>
      <ul>
        {of.map((one) => (
          <li key={one.id} class="board-unit" data-test={`unit-${one.id}`} data-status={one.status}>
            <UnitSymbol kind={one.kind} status={one.status} />
            <span class="board-name">{named(one.name, one.id)}</span>
            <span class="quiet board-what">{whatOf(one)}</span>
            <span class="quiet board-since">{one.since_at && now.value !== null ? clockOf((now.value - Date.parse(one.since_at)) / 1000) : ""}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function whatOf(one: Unit): string {
  if (one.incident) return named(incident(one.incident)?.name, one.incident);
  return named(post(one.post)?.name, "");
}

/** What was really reached in the last day. */
function ProofTable() {
  const made = proof.value;
  if (!made || made.overall.n === 0) return null;
  const rows = [made.overall, ...made.by_kind];
  return (
    <section class="reach-proof" aria-label={t("proof.title")} data-test="proof">
      <h3 class="reach-title">{t("proof.title")}</h3>
      <table class="table">
        <thead>
          <tr>
            <th>{t("proof.kind")}</th>
            <th class="number">{t("proof.n")}</th>
            <th class="number">{t("proof.median")}</th>
            {["60", "180", "300"].map((clock) => (
              <th key={clock} class="number">
                {t("proof.within", { n: Number(clock) / 60 })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.group}>
              <th>{one.group === "" ? t("proof.all") : named(kinds.value.find((kind) => kind.kind === one.group)?.name, one.group)}</th>
              <td class="number">
                {integer(one.n_reached)}/{integer(one.n)}
              </td>
              <td class="number">{one.response_s.p50 === null ? "—" : duration(one.response_s.p50)}</td>
              {["60", "180", "300"].map((clock) => (
                <td key={clock} class="number">
                  {one.within[clock]?.share == null ? "—" : share(one.within[clock].share)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <Broken of={made.broken} />
      {made.promised.share !== null && <p class="quiet reach-note">{t("proof.promised", { n: made.promised.n, of: made.promised.of })}</p>}
    </section>
  );
}

/** How many broken promises are listed: the latest first. */
const MOST_BROKEN = 8;

/** Promises that were not kept, each with the segment that was most to blame. */
function Broken({ of }: { of: Proof["broken"] }) {
  if (of.length === 0) return null;
  return (
    <table class="table" aria-label={t("proof.broken")} data-test="broken">
      <thead>
        <tr>
          <th>{t("proof.broken")}</th>
          <th>{t("proof.cause")}</th>
          <th class="number">{t("proof.late")}</th>
        </tr>
      </thead>
      <tbody>
        {of.slice(0, MOST_BROKEN).map((one) => (
          <tr key={one.incident}>
            <th>{one.incident}</th>
            <td>{word("cause", one.cause)}</td>
            <td class="number">{one.late_s === null ? "—" : `+${duration(one.late_s)}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
