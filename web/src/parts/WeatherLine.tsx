import type { Weather, WeatherHour } from "../shapes.ts";
import { now, weather } from "../desk.ts";
import { t, timeOf } from "../i18n.ts";

const OLD_MS = 7_200_000;
const LOOKS_H = 3;
const LISTED_H = 6;

/** The weather at the clock: what it is, and what the next hours bring; "unknown" where nobody told it lately. */
export function WeatherLine() {
  const told = fresh(weather.value, now.value);
  const present = told ? (told.measured ?? known(told.ahead[0])) : null;
  const ahead = told ? next(told) : "";
  if (weather.value === null) return null;
  return (
    <p class="weather" data-test="weather" title={told ? listed(told) : ""}>
      <strong>{present ? words(present) : t("weather.unknown")}</strong>
      <span>{present && !told?.measured ? `${t("weather.now_foreseen")} · ${ahead}` : ahead}</span>
    </p>
  );
}

/** What is known, unless it was asked for long ago. */
function fresh(told: Weather | null, at: number | null): Weather | null {
  if (!told || (at !== null && at - Date.parse(told.at) > OLD_MS)) return null;
  return told.measured || told.ahead.some((hour) => known(hour)) ? told : null;
}

function known(hour: WeatherHour | undefined): WeatherHour | null {
  return hour && (hour.rain_mm !== null || hour.temperature_c !== null) ? hour : null;
}

function words(hour: WeatherHour): string {
  const warmth = hour.temperature_c === null ? t("weather.no_temperature") : t("weather.degrees", { n: Math.round(hour.temperature_c) });
  return `${warmth} · ${hour.rain_mm === null ? t("weather.no_rain") : rain(hour.rain_mm)}`;
}

const rain = (mm: number): string => (mm > 0 ? t("weather.rain", { n: mm.toFixed(1) }) : t("weather.dry"));

/** Whether it rains in the present hour and the next three; nothing is said of hours that nobody foresaw. */
function next(told: Weather): string {
  const hours = told.ahead.slice(0, LOOKS_H + 1);
  const wet = hours.findIndex((hour) => (hour.rain_mm ?? 0) > 0);
  if (wet >= 0) {
    const mm = hours.reduce((sum, hour) => sum + (hour.rain_mm ?? 0), 0);
    return t("weather.rain_from", { time: timeOf(hours[wet]!.time), n: mm.toFixed(1) });
  }
  const unknown = hours.findIndex((hour) => hour.rain_mm === null);
  if (unknown === 0) return t("weather.ahead_unknown");
  const last = hours.at(unknown < 0 ? -1 : unknown - 1)!;
  return t("weather.dry_until", { time: timeOf(Date.parse(last.time) + 3_600_000) });
}

/** Hour by hour, for whoever points at it. */
function listed(told: Weather): string {
  const rows = told.measured ? [t("weather.measured", { time: timeOf(told.measured.time), what: words(told.measured) })] : [];
  for (const hour of told.ahead.slice(0, LISTED_H)) rows.push(t("weather.foreseen", { time: timeOf(hour.time), what: known(hour) ? words(hour) : t("unknown.short") }));
  return rows.join("\n");
}
