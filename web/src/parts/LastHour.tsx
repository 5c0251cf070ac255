import type { CurvePoint, Estimate, Forecast } from "../shapes.ts";
import { bandOf, later, minutely, tells, upTo } from "../hour.ts";
import { duration, integer, momentOf, people, t, timeOf } from "../i18n.ts";
import { Curve, type Line } from "./Curve.tsx";

interface Hour {
  points: CurvePoint[] | null;
  error: string;
  present?: Estimate | null;
  next?: Forecast | null;
}

/** The last hour, and what is expected: of the next, which is dashed, and in words of the day. */
export function LastHour({ points: kept, error, present, next }: Hour) {
  const points = kept && present ? upTo(kept, present) : (kept ?? []);
  const seen = points.filter(tells).length;
  const last = points.at(-1);
  const ahead = last && tells(last) && next?.basis ? minutely(last, next.points) : [];
  const both = [...points, ...ahead.slice(1)];
  const at = both.map((point) => Date.parse(point.at) / 1e3);
  const few = both.map((point) => point.hidden);
  const lines: Line[] = [{ label: t("curve.people"), colour: "--accent", values: both.map((point, k) => (k < points.length ? point.occupancy : null)), few: few.map((one, k) => one && k < points.length) }];
  if (ahead.length > 1) lines.push({ label: t("forecast.expected"), colour: "--accent", dash: [3, 4], values: both.map((point, k) => (k < points.length - 1 ? null : point.occupancy)), few: few.map((one, k) => one && k >= points.length - 1) });
  const band = bandOf(both);
  const title = t(ahead.length > 1 ? "forecast.hours" : "curve.hour");
  return (
    <section class="hour">
      <h3>
        {title} {band.low.some((low) => low !== null) && <span class="quiet">{t("curve.band")}</span>}
      </h3>
      {error && <p class="empty is-error">{error}</p>}
      {kept && seen < 2 && !error && <p class="empty">{t("curve.none")}</p>}
      {seen >= 2 && <Curve at={at} lines={lines} band={band} caption={title} />}
      {ahead.length > 1 && next && (
        <p class="quiet" data-test="forecast">
          {inAnHour(ahead.at(-1)!)} {restsOn(next)}
        </p>
      )}
      {next?.basis && <NextDay made={next} />}
    </section>
  );
}

function inAnHour(point: CurvePoint): string {
  const time = timeOf(point.at);
  if (point.hidden) return t("forecast.at_few", { time });
  return t("forecast.at", { time, n: people(point.occupancy!), low: people(point.low ?? 0), high: people(point.high ?? 0) });
}

/** What a forecast rests on, as the end of a sentence. */
function restsOn(made: Forecast): string {
  if (made.basis === "trees" && made.by_weather) return t("forecast.trees_weather", { days: integer(made.days) });
  if (made.basis === "trees" || made.basis === "usual") return t(`forecast.${made.basis}`, { days: integer(made.days) });
  return t(made.basis === "plan" ? "forecast.plan" : "forecast.trend");
}

/** What is expected from the second hour to the day after, once there is a history. */
function NextDay({ made }: { made: Forecast }) {
  const points = later(made.made_at, made.points);
  if (points.length === 0) return null;
  return (
    <table class="table" data-test="next-day">
      <caption class="quiet">{t("forecast.day")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("forecast.when")}</th>
          <th scope="col" class="number">{t("forecast.expected")}</th>
          <th scope="col" class="number">{t("forecast.interval")}</th>
        </tr>
      </thead>
      <tbody>
        {points.map((point) => (
          <tr key={point.at}>
            <th scope="row">
              {momentOf(point.at)} <span class="quiet">{t("forecast.in", { span: duration(ahead_s(made, point)) })}</span>
            </th>
            <td class="number">{point.hidden ? "<10" : people(point.occupancy!)}</td>
            <td class="number quiet">{point.low === null || point.high === null ? "" : `${people(point.low)}–${people(point.high)}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How far ahead a point is, to the quarter of an hour. */
const ahead_s = (made: Forecast, point: CurvePoint): number => Math.round((Date.parse(point.at) - Date.parse(made.made_at)) / 900_000) * 900;
