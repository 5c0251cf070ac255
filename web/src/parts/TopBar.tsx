import type { BorderFlow, District, Estimate } from "../shapes.ts";
import { behind, border, devices, lastAt, late, link, now, places, severity, simulate, simulation, stale, tab, watches, whole } from "../desk.ts";
import { address, listAddress, sectionOf } from "../cases/address.ts";
import { dateOf, duration, integer, lang, momentOf, named, people, secondsOf, setLang, t } from "../i18n.ts";
import { maySee } from "../staff.ts";
import { theme, toggleTheme } from "../theme.ts";
import { Account } from "./Account.tsx";
import { intervalText, shortOccupancy } from "./EstimateView.tsx";
import { Icon } from "./Icon.tsx";
import { WeatherLine } from "./WeatherLine.tsx";

const SECTIONS = ["cases", "community", "indicators", "plans"] as const;

export function TopBar({ district }: { district: District }) {
  const wanted = sectionOf(address.value.page);
  const section = maySee(wanted) ? wanted : "map";
  const onMap = section === "map";
  const others = SECTIONS.filter(maySee);
  return (
    <header class="top">
      <div class="brand">
        <img src="/icon.svg" alt="" width="30" height="30" />
        <div>
          <h1>{named(district.name)}</h1>
          <p class="quiet">{t("app.tagline")}</p>
        </div>
      </div>
      {others.length > 0 && (
        <nav class="top-nav" aria-label={t("nav.label")}>
          <a href="#/map" aria-current={onMap ? "page" : undefined} data-test="nav-map">
            {t("nav.map")}
          </a>
          {others.map((one) => (
            <a key={one} href={one === "cases" ? listAddress.value : `#/${one}`} aria-current={section === one ? "page" : undefined} data-test={`nav-${one}`}>
              {t(`nav.${one}`)}
            </a>
          ))}
        </nav>
      )}
      {onMap ? <Figures /> : <span class="figures" />}
      <div class="top-end">
        <Lag />
        <LiveBadge />
        <WeatherLine />
        <Clock />
        <button type="button" class="round" onClick={() => setLang(lang.value === "zh" ? "en" : "zh")} lang={lang.value === "zh" ? "en" : "zh"} aria-label={t("language.switch")} data-test="language">
          {lang.value === "zh" ? "EN" : "中"}
        </button>
        <button type="button" class="round" onClick={toggleTheme} aria-label={theme.value === "dark" ? t("theme.light") : t("theme.dark")} data-test="theme">
          <Icon name={theme.value === "dark" ? "sun" : "moon"} />
        </button>
        <Account />
      </div>
    </header>
  );
}

/** The district in a few numbers. Each opens the list it comes from. */
function Figures() {
  const total = whole.value;
  const busy = places.value.filter((one) => severity(one) > 0).length;
  const blind = places.value.filter((one) => one.estimate.unknown !== null).length;
  const well = devices.value.filter((one) => one.state === "ok" || one.state === "late").length;
  const counted = devices.value.filter((one) => one.state !== "withdrawn").length;
  return (
    <ul class={`figures${stale.value ? " is-stale" : ""}`} aria-label={t("figures.label")}>
      <li class="figure-main">
        <span class="figure-label">{t("figures.total")}</span>
        <strong data-test="total">{shortOccupancy(total)}</strong>
        <span class="figure-note" title={total ? intervalText(total) : ""}>
          {total && total.low !== null && total.high !== null ? `${people(total.low)}–${people(total.high)}` : noNumber(total)}
        </span>
      </li>
      <Figure label={t("figures.busy")} value={integer(busy)} note={t("figures.of_places", { n: integer(places.value.length) })} alert={busy > 0} go={() => (tab.value = "places")} />
      <Figure label={t("figures.devices")} value={`${integer(well)}/${integer(counted)}`} note={t("figures.reporting")} alert={well < counted * 0.9} go={() => (tab.value = "devices")} />
      <Figure label={t("figures.blind")} value={integer(blind)} note={t("figures.of_places", { n: integer(places.value.length) })} alert={false} go={() => (tab.value = "places")} />
      <Border />
      <Figure label={t("figures.watches")} value={integer(watches.value.length)} note={t("figures.saved")} alert={false} go={() => (tab.value = "watches")} />
    </ul>
  );
}

/** People and vehicles over the district's border, where it has counters there. */
function Border() {
  const told = border.value;
  if (!told || told.people.lines.length + told.vehicles.lines.length === 0) return null;
  const silent = told.people.silent.length + told.vehicles.silent.length;
  const notes = [
    ...(told.vehicles.lines.length > 0 ? [t("figures.vehicles", { ways: ways(told.vehicles) })] : []),
    ...(silent > 0 ? [t("figures.mute", { n: integer(silent) })] : []),
  ];
  return <Figure label={t("figures.border")} value={ways(told.people)} note={notes.join(" · ")} alert={false} go={() => (tab.value = "devices")} />;
}

/** In and out per minute; at least so many where a counter is silent, a dash where all are. */
function ways(flow: BorderFlow): string {
  const least = flow.silent.length > 0 ? "≥" : "";
  const one = (n: number | null): string => (n === null ? "–" : `${least}${integer(Math.round(n))}`);
  return `${one(flow.counted_in_per_minute)} / ${one(flow.counted_out_per_minute)}`;
}

/** Why there is no number, in a few words. */
function noNumber(total: Estimate | null): string {
  return !total?.unknown || total.unknown === "not_started" ? t("figures.waiting") : t(`blind.${total.unknown}`);
}

function Figure({ label, value, note, alert, go }: { label: string; value: string; note: string; alert: boolean; go: () => void }) {
  return (
    <li>
      <button type="button" class={alert ? "is-alert" : ""} onClick={go}>
        <span class="figure-label">{label}</span>
        <strong>{value}</strong>
        <span class="figure-note">{note}</span>
      </button>
    </li>
  );
}

function LiveBadge() {
  const lost = link.value === "lost";
  const at = lastAt.value;
  const state = lost ? "lost" : link.value === "connecting" ? "connecting" : stale.value ? "stale" : "live";
  const text =
    state === "lost" || state === "stale"
      ? t(state === "lost" ? "live.lost" : "live.stale", { time: at ? momentOf(at) : t("live.never") })
      : t(state === "live" ? "live.live" : "live.connecting");
  return (
    <p class={`live live-${state}`} role="status" data-test="live">
      <i aria-hidden="true" />
      {text}
    </p>
  );
}

/** By how much the numbers are behind the clock, and counts behind their minutes; nothing where neither is. */
function Lag() {
  const ms = link.value === "open" ? behind.value : null;
  const counts = late.value;
  if (ms === null && counts === null) return null;
  const texts = [
    ...(ms === null ? [] : [t("lag.estimate", { age: duration(ms / 1000) })]),
    ...(counts === null ? [] : [t("lag.counts", { n: integer(counts.n), all: integer(devices.value.length), age: duration(counts.s) })]),
  ];
  return (
    <p class="lag" role="status" data-test="lag">
      <button type="button" onClick={() => (tab.value = "devices")}>{texts.join(t("list.semicolon"))}</button>
    </p>
  );
}

function Clock() {
  const at = now.value;
  if (at === null) return <p class="clock" />;
  return (
    <p class="clock" data-test="clock">
      <time dateTime={new Date(at).toISOString()}>{secondsOf(at)}</time>
      <span>{dateOf(at)}</span>
    </p>
  );
}

const SPEEDS = [1, 10, 30, 60];

/** What a simulated district always shows: that it is one; and what moves its time. */
export function SimulationBar() {
  const state = simulation.value;
  if (!state) return null;
  return (
    <section class="simulation" aria-label={t("simulation.label")}>
      <p class="simulation-sign">
        <Icon name="warn" size={16} />
        <strong>{state.kind === "replay" ? t("simulation.replay") : t("simulation.sign")}</strong>
        <span>{state.fault ? t("simulation.fault") : state.rushing ? t("simulation.rushing") : t(state.kind === "replay" ? "simulation.replay_note" : "simulation.note")}</span>
      </p>
      <div class="simulation-controls">
        {state.scenarios.length > 0 && (
          <label>
            <span>{t("simulation.scenario")}</span>
            <select aria-label={t("simulation.scenario")} value={state.scenario ?? ""} onChange={(change) => void simulate({ scenario: change.currentTarget.value })} data-test="scenario">
              {state.scenarios.map((one) => (
                <option key={one.id} value={one.id}>
                  {named(one.name, one.id)}
                </option>
              ))}
            </select>
          </label>
        )}
        <div class="segments" role="group" aria-label={t("simulation.speed")}>
          {[...new Set([...SPEEDS, state.speed])].sort((a, b) => a - b).map((speed) => (
            <button type="button" key={speed} aria-pressed={!state.paused && speed === state.speed} onClick={() => void simulate({ speed, paused: false })}>
              {integer(speed)}×
            </button>
          ))}
        </div>
        <button type="button" class="plain" aria-pressed={state.paused} onClick={() => void simulate({ paused: !state.paused })} data-test="pause">
          <Icon name={state.paused ? "play" : "pause"} size={15} />
          {state.paused ? t("simulation.go") : t("simulation.pause")}
        </button>
      </div>
    </section>
  );
}

/** How old what is shown is, once it is old. */
export function StaleNotice() {
  const at = lastAt.value;
  if (!stale.value || at === null) return null;
  const age = now.value === null ? null : Math.max(0, (now.value - Date.parse(at)) / 1000);
  return (
    <p class="stale-notice" role="alert" data-test="stale">
      {t(link.value === "lost" ? "live.lost" : "live.stale", { time: momentOf(at) })}
      {age !== null && age > 90 && link.value !== "lost" ? ` · ${t("live.age", { age: duration(age) })}` : ""}
    </p>
  );
}
