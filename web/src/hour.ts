/** The last hour of a curve and what is expected after it, as numbers to draw. */
import type { CurvePoint, Estimate } from "./shapes.ts";

/** What stands for a number that is not told, "<10": the middle of what it may be, and its bounds. */
const FEW = { occupancy: 5, low: 0, high: 10 };
const LEAST = 10;
const HOUR_MS = 3_660_000;
const BRIDGE_S = 660;

type Numbers = Pick<CurvePoint, "occupancy" | "low" | "high">;

/** The numbers of a point; where there are few, what stands for them. */
export const numbersOf = (point: CurvePoint): Numbers => (point.hidden ? FEW : point);

/** Whether a point tells something, be it that there are few. */
export const tells = (point: CurvePoint): boolean => point.hidden || point.occupancy !== null;

/** The curve up to the estimate that stands above it, which has its interval even where the curve's last minute has none. */
export function upTo(points: CurvePoint[], { at, occupancy, low, high, hidden }: Estimate): CurvePoint[] {
  const last = points.at(-1);
  return last && last.at <= at ? [...points.filter((point) => point.at < at), { at, occupancy, low, high, hidden }] : points;
}

/** The next hour of a forecast, joined to the present and told minute by minute, so that the pointer finds it anywhere. */
export function minutely(now: CurvePoint, points: CurvePoint[]): CurvePoint[] {
  const begin = Date.parse(now.at);
  const marks = [now, ...points.filter((point) => Date.parse(point.at) > begin && Date.parse(point.at) <= begin + HOUR_MS)];
  return marks.flatMap((mark, k) => {
    const next = marks[k + 1];
    if (!next) return [mark];
    const from = Date.parse(mark.at);
    const steps = Math.max(1, Math.round((Date.parse(next.at) - from) / 60_000));
    const [a, b] = [numbersOf(mark), numbersOf(next)];
    const mix = (here: number | null, there: number | null, s: number) => (here === null || there === null ? null : here + ((there - here) * s) / steps);
    return Array.from({ length: steps }, (_, s) => {
      const at = new Date(from + s * 60_000).toISOString();
      const occupancy = mix(a.occupancy, b.occupancy, s);
      if (occupancy !== null && occupancy < LEAST) return { at, occupancy: null, low: null, high: LEAST, hidden: true };
      return { at, occupancy, low: mix(a.low ?? a.occupancy, b.low, s), high: mix(a.high ?? a.occupancy, b.high, s), hidden: false };
    });
  });
}

/** What is expected after the next hour. */
export function later(now: string, points: CurvePoint[]): CurvePoint[] {
  return points.filter((point) => Date.parse(point.at) > Date.parse(now) + HOUR_MS);
}

/** The band about a curve: where few are, it reaches from nobody to ten. */
export function bandOf(points: CurvePoint[]): { low: (number | null)[]; high: (number | null)[] } {
  const at = points.map((point) => Date.parse(point.at) / 1e3);
  const side = (name: "low" | "high") => bridged(at, points.map((point) => numbersOf(point)[name]));
  return { low: side("low"), high: side("high") };
}

/** Intervals of a polygon are kept every five minutes: join those that are near, and leave real gaps open. */
export function bridged(at: number[], values: (number | null)[]): (number | null)[] {
  const filled = [...values];
  let from = -1;
  for (const [k, value] of values.entries()) {
    if (value === null) continue;
    if (from >= 0 && at[k]! - at[from]! <= BRIDGE_S) {
      const start = values[from]!;
      for (let n = from + 1; n < k; n++) filled[n] = start + ((value - start) * (at[n]! - at[from]!)) / (at[k]! - at[from]!);
    }
    from = k;
  }
  return filled;
}
