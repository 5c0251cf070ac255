import { t } from "../i18n.ts";
import type { Step } from "./api.ts";

const WIDE = 420;
const HIGH = 220;
const LEFT = 46;
const LOW = 38;

/** Round whole numbers up to the top, three to six of them: there is no half a post. */
function wholeTicks(top: number): number[] {
  const decade = 10 ** Math.max(0, Math.floor(Math.log10(top / 4)));
  const step = [1, 2, 5, 10].map((one) => one * decade).find((one) => one >= top / 4 - 1e-9) ?? 1;
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, k) => k * step);
}

/** What a promise costs: each point a plan, filled where it is proved to be the best. */
export function PriceCurve({ steps, of, name }: { steps: Step[]; of: "units" | "minutes"; name: string }) {
  const points = steps.map((one) => (of === "units" ? { x: one.units, y: 100 * one.share, proved: one.proved } : { x: one.minutes, y: one.units, proved: one.proved }));
  const right = Math.max(...points.map((one) => one.x));
  const top = Math.max(1, ...points.map((one) => one.y));
  const x = (value: number): number => LEFT + ((WIDE - LEFT - 14) * value) / right;
  const y = (value: number): number => HIGH - LOW - ((HIGH - LOW - 14) * value) / top;
  const told = (value: number): string => (of === "units" ? `${Math.round(value)} %` : String(Math.round(value)));
  return (
    <figure class="price">
      <figcaption>{t(of === "units" ? "plan.by_units" : "plan.by_minutes")}</figcaption>
      <svg viewBox={`0 0 ${WIDE} ${HIGH}`} role="img" aria-label={points.map((one) => `${one.x}: ${told(one.y)}`).join(", ")} data-test={name}>
        {wholeTicks(top).map((value) => (
          <g key={value}>
            <path d={`M${LEFT} ${y(value)}H${WIDE - 14}`} class="grid" />
            <text x={LEFT - 6} y={y(value) + 4} text-anchor="end" class="tick">
              {told(value)}
            </text>
          </g>
        ))}
        {points.map((one, k) => (
          <text key={one.x} x={x(one.x)} y={HIGH - LOW + 16} text-anchor="middle" class={k % 2 && points.length > 9 ? "faint" : ""}>
            {one.x}
          </text>
        ))}
        <polyline points={points.map((one) => `${x(one.x)},${y(one.y)}`).join(" ")} />
        {points.map((one) => (
          <circle key={one.x} cx={x(one.x)} cy={y(one.y)} r="4" class={one.proved ? "proved" : ""}>
            <title>{`${one.x} → ${told(one.y)}`}</title>
          </circle>
        ))}
        <text x={(LEFT + WIDE) / 2} y={HIGH - 4} text-anchor="middle">
          {t(of === "units" ? "plan.vehicles" : "plan.minutes_promised")}
        </text>
      </svg>
      <p class="price-key quiet">
        <svg width="12" height="12" aria-hidden="true">
          <circle cx="6" cy="6" r="4" class="proved" />
        </svg>{" "}
        {t("plan.proved")}{" "}
        <svg width="12" height="12" aria-hidden="true">
          <circle cx="6" cy="6" r="4" />
        </svg>{" "}
        {t("plan.not_proved")}
      </p>
    </figure>
  );
}
