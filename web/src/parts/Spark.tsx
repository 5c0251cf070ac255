import { numbersOf, tells } from "../hour.ts";
import type { CurvePoint } from "../shapes.ts";

const WIDTH = 72;
const HEIGHT = 22;

const height = (point: CurvePoint): number => numbersOf(point).occupancy!;

/** The last hour as a small line; gaps where it was unknown. The list's numbers say what it shows. */
export function Spark({ points }: { points: readonly CurvePoint[] }) {
  const seen = points.filter(tells);
  if (seen.length < 2) return <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true" />;
  const begin = Date.parse(points[0]!.at);
  const span = Date.parse(points.at(-1)!.at) - begin || 1;
  const top = Math.max(...seen.map(height), 1);
  let pen = "M";
  const path = points
    .map((point) => {
      if (!tells(point)) {
        pen = "M";
        return "";
      }
      const x = 1 + ((Date.parse(point.at) - begin) / span) * (WIDTH - 4);
      const y = HEIGHT - 2 - (height(point) / top) * (HEIGHT - 5);
      const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
  const last = seen.at(-1)!;
  const y = HEIGHT - 2 - (height(last) / top) * (HEIGHT - 5);
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={path} />
      <circle cx={1 + ((Date.parse(last.at) - begin) / span) * (WIDTH - 4)} cy={y} r="2" />
    </svg>
  );
}
