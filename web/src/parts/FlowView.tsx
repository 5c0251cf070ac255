import type { Flow } from "../shapes.ts";
import { devices, stale } from "../desk.ts";
import { duration, named, people, share, t, word } from "../i18n.ts";

const POINTS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;

/** The point of the compass towards which one crosses a line from its left to its right. */
export function towards(line: GeoJSON.LineString): (typeof POINTS)[number] {
  const [first, last] = [line.coordinates[0]!, line.coordinates.at(-1)!];
  const east = (last[0]! - first[0]!) * Math.cos((first[1]! * Math.PI) / 180);
  const bearing = (Math.atan2(east, last[1]! - first[1]!) * 180) / Math.PI + 90;
  return POINTS[Math.round((((bearing % 360) + 360) % 360) / 45) % 8]!;
}

/** The people over a line per minute, and what that rests on. */
export function FlowView({ flow, line }: { flow: Flow; line: GeoJSON.LineString }) {
  const way = towards(line);
  const back = POINTS[(POINTS.indexOf(way) + 4) % 8]!;
  const names = flow.devices.map((id) => named(devices.value.find((one) => one.id === id)?.name, id));
  return (
    <div class={`estimate${stale.value ? " is-stale" : ""}`}>
      {flow.unknown !== null ? (
        <>
          <p class="estimate-number is-unknown">{t("unknown.long")}</p>
          <p class="estimate-interval">{word("unknown", flow.unknown)}</p>
        </>
      ) : flow.hidden || flow.per_minute === null ? (
        <>
          <p class="estimate-number" data-test="flow">&lt;{people(flow.high ?? 0)}<small>{t("unit.per_minute")}</small></p>
          <p class="estimate-interval">{t("flow.hidden")}</p>
        </>
      ) : (
        <>
          <p class="estimate-number" data-test="flow" data-value={flow.per_minute}>
            {people(flow.per_minute)}
            <small>{t("unit.per_minute")}</small>
          </p>
          {flow.low !== null && flow.high !== null && (
            <p class="estimate-interval" data-test="interval">{t("estimate.interval", { low: people(flow.low), high: people(flow.high), level: share(0.9) })}</p>
          )}
        </>
      )}
      <dl class="facts">
        <div>
          <dt>{t("flow.ways")}</dt>
          <dd data-test="ways">
            {flow.in_per_minute === null || flow.out_per_minute === null ? (
              <span class="quiet">{t("flow.no_ways")}</span>
            ) : (
              `${t(`compass.${way}`)} ${people(flow.in_per_minute)} · ${t(`compass.${back}`)} ${people(flow.out_per_minute)}`
            )}
          </dd>
        </div>
        <div>
          <dt>{t("flow.rests")}</dt>
          <dd>{flow.counted_share === null ? "–" : flow.counted_share >= 0.995 ? t("flow.counted") : flow.counted_share === 0 ? t("flow.inferred") : t("flow.part", { share: share(flow.counted_share) })}</dd>
        </div>
        <div>
          <dt>{t("flow.width")}</dt>
          <dd>{people(flow.width_m)} m</dd>
        </div>
        {flow.freshness_s !== null && (
          <div>
            <dt>{t("fact.freshness")}</dt>
            <dd>{duration(flow.freshness_s)}</dd>
          </div>
        )}
      </dl>
      {names.length > 0 && <p class="quiet">{names.join(" · ")}</p>}
    </div>
  );
}
