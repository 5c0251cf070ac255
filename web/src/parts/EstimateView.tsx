import type { Estimate } from "../shapes.ts";
import { areaOf, density, duration, people, share, t, timeOf, word } from "../i18n.ts";
import { stale } from "../desk.ts";

/** The number of people in words short enough for a list. */
export function shortOccupancy(estimate: Estimate | null): string {
  if (!estimate || estimate.unknown !== null) return t("unknown.short");
  if (estimate.hidden || estimate.occupancy === null) return "<10";
  return people(estimate.occupancy);
}

/** The interval in words, or why there is none. */
export function intervalText(estimate: Estimate): string {
  if (estimate.low === null || estimate.high === null) return "";
  return t("estimate.interval", { low: people(estimate.low), high: people(estimate.high), level: share(estimate.level) });
}

export function Class({ of }: { of: string | null }) {
  if (of === null) return <span class="class class-none" aria-label={t("class.unknown")}>–</span>;
  return (
    <span class={`class class-${of}`} title={word("class", of)} aria-label={t("class.label", { of })}>
      {of}
    </span>
  );
}

/** The answer to "how many people are there": the number with its interval, and what it rests on. */
export function EstimateView({ estimate, capacity }: { estimate: Estimate; capacity?: number | null }) {
  const unknown = estimate.unknown;
  return (
    <div class={`estimate${stale.value ? " is-stale" : ""}`}>
      {unknown !== null ? (
        <>
          <p class="estimate-number is-unknown">{t("unknown.long")}</p>
          <p class="estimate-interval">{word("unknown", unknown)}</p>
        </>
      ) : estimate.hidden || estimate.occupancy === null ? (
        <>
          <p class="estimate-number" data-test="occupancy">&lt;10</p>
          <p class="estimate-interval">{t("estimate.hidden")}</p>
        </>
      ) : (
        <>
          <p class="estimate-number" data-test="occupancy" data-value={estimate.occupancy}>
            {people(estimate.occupancy)}
            <small>{t("unit.people")}</small>
          </p>
          <p class="estimate-interval" data-test="interval">{intervalText(estimate)}</p>
        </>
      )}
      {capacity ? <Against capacity={capacity} estimate={estimate} /> : null}
      <dl class="facts">
        <div>
          <dt>{t("fact.density")}</dt>
          <dd>{estimate.density_per_m2 === null ? "–" : t("unit.per_m2", { n: density(estimate.density_per_m2) })}</dd>
        </div>
        <div>
          <dt>{t("fact.class")}</dt>
          <dd>
            <Class of={estimate.level_of_service} /> <span class="quiet">{estimate.level_of_service ? word("class", estimate.level_of_service) : ""}</span>
          </dd>
        </div>
        <div>
          <dt>{t("fact.freshness")}</dt>
          <dd>{estimate.freshness_s === null ? "–" : duration(estimate.freshness_s)}</dd>
        </div>
        <div>
          <dt>{t("fact.walkable")}</dt>
          <dd>{areaOf(estimate.walkable_m2)}</dd>
        </div>
      </dl>
      <p class="estimate-at quiet">{t("estimate.at", { time: timeOf(estimate.at) })}</p>
    </div>
  );
}

function Against({ capacity, estimate }: { capacity: number; estimate: Estimate }) {
  const of = estimate.occupancy === null || estimate.unknown !== null ? null : estimate.occupancy / capacity;
  return (
    <div class="against">
      <Bar of={of} />
      <span>{of === null ? t("capacity.is", { capacity: people(capacity) }) : t("capacity.share", { share: share(of), capacity: people(capacity) })}</span>
    </div>
  );
}

/** How full a place is; hatched where that is unknown. */
export function Bar({ of }: { of: number | null }) {
  const grade = of === null ? "none" : of >= 1 ? "over" : of >= 0.8 ? "high" : "fine";
  return (
    <span class={`bar bar-${grade}`} aria-hidden="true">
      <i style={{ width: `${Math.min(100, (of ?? 0) * 100)}%` }} />
    </span>
  );
}
