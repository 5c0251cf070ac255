import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Alert, Grounds } from "../shapes.ts";
import { sound, toggleSound } from "../chime.ts";
import { alerts, device, refreshAlerts, say, selection, told } from "../desk.ts";
import { density, duration, integer, named, people, ratio, share, t, timeOf, word } from "../i18n.ts";
import type { MapHandle } from "../map/DeskMap.tsx";
import { FiringRow } from "../underway/FiringRow.tsx";
import { firings } from "../underway/firings.ts";
import { useInstead } from "./focus.ts";
import { Icon } from "./Icon.tsx";
import { LeftOut, matches } from "./Seek.tsx";
import { useOnce } from "./useOnce.ts";

/** What stands announced, the most serious first; quiet where nothing does. */
export function Alerts({ map }: { map: Signal<MapHandle | null> }) {
  const shown = alerts.value.filter((one) => matches(one.subject.id, one.subject.name.zh, one.subject.name.en));
  return (
    <>
      <p class="alerts-head">
        <span class="quiet">{t(alerts.value.length + firings.value.length === 0 ? "alerts.none" : "alerts.once")}</span>
        <button type="button" class="plain" aria-pressed={sound.value} onClick={toggleSound} data-test="sound">
          {t(sound.value ? "alerts.sound_on" : "alerts.sound_off")}
        </button>
      </p>
      {firings.value.length > 0 && (
        <ul class="firings" aria-live="polite" aria-label={t("live.title")} data-test="firings">
          {firings.value.map((one) => (
            <FiringRow key={one.id} one={one} linked />
          ))}
        </ul>
      )}
      <LeftOut n={alerts.value.length - shown.length} />
      <ul class="rows" aria-live="polite">
        {shown.map((one) => (
          <AlertRow key={one.id} one={one} map={map} />
        ))}
      </ul>
    </>
  );
}

function AlertRow({ one, map }: { one: Alert; map: Signal<MapHandle | null> }) {
  const show = (): void => {
    selection.value = { kind: one.subject.kind, id: one.subject.id };
    const outline = map.value?.geometryOf(one.subject.kind === "place" ? "places" : "devices", one.subject.id);
    if (outline) map.value?.fly(outline);
  };
  const chosen = selection.value;
  const pressed = chosen?.kind === one.subject.kind && chosen.id === one.subject.id;
  return (
    <li class={`alert rung-${one.rung}${one.acknowledged ? " is-seen" : ""}`} data-test="alert">
      <button type="button" class="row" aria-pressed={pressed} onClick={show}>
        <span class="row-head">
          <span class="row-name">{named(one.subject.name, one.subject.id)}</span>
          <strong class="rung">{word("rung", one.rung)}</strong>
        </span>
        <span class="alert-what">{what(one)}</span>
        {one.grounds && <span class="row-note">{numbers(one.grounds)}</span>}
        <span class="row-note quiet">
          {t("alert.since", { time: timeOf(one.since_at) })}
          {one.grounds ? ` · ${t("alert.source", { source: named(one.grounds.source) })}` : ""}
        </span>
        {one.grounds && <span class="row-note quiet">{t("alert.devices", { devices: namesOf(one.grounds.devices) })}</span>}
      </button>
      <Duty one={one} />
    </li>
  );
}

/** The breach in one line: which limit, and when. */
function what(one: Alert): string {
  const grounds = one.grounds;
  if (!grounds) return one.unknown ? word("unknown", one.unknown) : t("alert.unseen");
  const rule = t("alert.rule", { measure: word("measure", grounds.measure), limit: amount(grounds, grounds.limit) });
  // An alert comes before its limit is surely reached, and stays until it is surely left.
  const under = grounds.value !== null && grounds.value < grounds.limit;
  const when = one.lead_s === null ? t(under ? "alert.possible" : "alert.now") : t("alert.ahead", { lead: duration(Math.max(one.lead_s, 60)) });
  return `${rule} · ${when}`;
}

function numbers(grounds: Grounds): string {
  const value = grounds.value === null ? "" : amount(grounds, grounds.value);
  const parts = [t(grounds.ahead_s > 0 ? "alert.expected" : "alert.value", { value }), t("alert.probability", { share: share(grounds.probability ?? 0) })];
  if (grounds.occupancy !== null) parts.push(t("alert.people", { n: people(grounds.occupancy) }));
  if (grounds.also === "weaker_share" && grounds.other !== null) parts.push(t("alert.weaker", { share: share(grounds.other) }));
  if (grounds.also === "in_per_out" && grounds.other !== null) parts.push(t("alert.imbalance", { n: ratio(grounds.other) }));
  if (grounds.net_inflow !== null && Math.abs(grounds.net_inflow * 60) >= 1) parts.push(t("alert.net", { n: integer(Math.round(grounds.net_inflow * 60)) }));
  if (grounds.rests_on.length > 0) parts.push(t("alert.rests", { grounds: grounds.rests_on.map((one) => word("rests", one)).join(t("list.comma")) }));
  return parts.join(" · ");
}

/** A number of a measure with its unit; flows by the minute, as they are spoken of. */
function amount({ measure }: Grounds, n: number): string {
  if (measure === "share_of_capacity") return share(n);
  if (measure === "density") return t("unit.per_m2", { n: density(n) });
  return t(measure === "specific_flow" ? "unit.per_m_min" : "unit.per_min", { n: integer(Math.round(60 * n)) });
}

const NAMED = 4;
function namesOf(ids: string[]): string {
  const shown = ids.slice(0, NAMED).map((id) => named(device(id)?.name, id));
  const more = ids.length - shown.length;
  return shown.join(t("list.comma")) + (more > 0 ? t("alert.more", { n: more }) : "");
}

/** What somebody on duty does: see it, or take it off with the reason. */
function Duty({ one }: { one: Alert }) {
  const [note, setNote] = useState<string | null>(null);
  const { busy, once } = useOnce();
  const { opener, first } = useInstead(note !== null);
  const work = (what: () => Promise<unknown>): void =>
    void once(async () => {
      try {
        await what();
        setNote(null);
      } catch (error) {
        say(told(error));
      }
      await refreshAlerts();
    });
  if (note !== null)
    return (
      <form class="alert-duty" onKeyDown={(key) => key.key === "Escape" && (key.preventDefault(), setNote(null))} onSubmit={(sent) => (sent.preventDefault(), work(() => api.closeAlert(one.id, note)))}>
        <input ref={first} value={note} maxLength={500} required placeholder={t("alert.why")} aria-label={t("alert.why")} onInput={(typed) => setNote(typed.currentTarget.value)} />
        <button type="submit" class="plain" aria-busy={busy}>
          {t("alert.close")}
        </button>
        <button type="button" class="plain" aria-label={t("draw.cancel")} onClick={() => setNote(null)}>
          <Icon name="close" size={14} />
        </button>
      </form>
    );
  return (
    <p class="alert-duty">
      {one.acknowledged ? (
        <span class="quiet">{t("alert.seen", { time: timeOf(one.acknowledged.at) })}</span>
      ) : (
        <button type="button" class="plain solid" aria-busy={busy} onClick={() => work(() => api.acknowledge(one.id, ""))} data-test="acknowledge">
          {t("alert.acknowledge")}
        </button>
      )}
      <button type="button" ref={opener} class="plain" onClick={() => setNote("")} data-test="close-ask">
        {t("alert.close_ask")}
      </button>
    </p>
  );
}
