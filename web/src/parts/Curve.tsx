import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { lang, momentOf, people, timeOf, timeZone, t } from "../i18n.ts";
import { theme } from "../theme.ts";

export interface Line {
  label: string;
  /** The custom property of the stylesheet that holds its colour. */
  colour: string;
  values: (number | null)[];
  dash?: number[];
  /** Where there are fewer than ten, which no line shows. */
  few?: boolean[];
}

/** Lines over time, the first with its interval as a band where one is known. */
export function Curve({ at, lines, band, caption }: { at: number[]; lines: Line[]; band?: { low: (number | null)[]; high: (number | null)[] }; caption: string }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const drawn = broken([at, ...lines.map((line) => line.values), ...(band ? [band.low, band.high] : [])]);
  const few = useRef(new Set<string>()).current;
  few.clear();
  for (const [n, line] of lines.entries()) for (const [k, moment] of at.entries()) if (line.few?.[k]) few.add(fewAt(n, moment));
  const look = `${theme.value} ${lang.value} ${timeZone.value} ${lines.map((line) => line.label).join()} ${band !== undefined}`;
  useEffect(() => {
    const parent = box.current!;
    const made = new uPlot(optionsOf(parent, lines, band !== undefined, few), drawn, parent);
    chart.current = made;
    const seen = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height: HEIGHT }));
    seen.observe(parent);
    return () => {
      seen.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [look]);
  useEffect(() => chart.current?.setData(drawn), [JSON.stringify(drawn)]);
  return (
    <figure class="curve">
      <div ref={box} class="curve-box" role="img" aria-label={`${caption}. ${spoken(at, lines)}`} />
      {lines.length > 1 && (
        <figcaption class="curve-key">
          {lines.map((line) => (
            <span key={line.label}>
              <i class={line.dash ? "dashed" : ""} style={{ borderColor: `var(${line.colour})` }} />
              {line.label}
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  );
}

const HEIGHT = 168;

const fewAt = (line: number, at: number): string => `${line} ${at}`;

/** The same with an unknown moment in each gap of more than two usual steps, so that no line bridges what nobody counted. */
function broken(columns: (number | null)[][]): uPlot.AlignedData {
  const at = columns[0] as number[];
  const steps = at.slice(1).map((moment, k) => moment - at[k]!);
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const rows = at.flatMap((moment, k) => {
    const row = columns.map((column) => column[k] ?? null);
    return k > 0 && steps[k - 1]! > 2.5 * usual ? [[moment - usual, ...columns.slice(1).map(() => null)], row] : [row];
  });
  return columns.map((_, n) => rows.map((row) => row[n] ?? null)) as uPlot.AlignedData;
}

/** Moments that stand alone between unknown ones: no line shows them, so they are drawn as points. */
function alone(chart: uPlot, series: number): number[] {
  const values = Array.from<number | null | undefined>(chart.data[series] ?? []);
  return values.flatMap((value, k) => ((value ?? null) !== null && (values[k - 1] ?? null) === null && (values[k + 1] ?? null) === null ? [k] : []));
}

/** The curve in words, for those who do not see it. */
function spoken(at: number[], lines: Line[]): string {
  return lines
    .map(({ label, values }) => {
      const seen = values.flatMap((value, k) => (value === null ? [] : [{ value, at: at[k]! * 1000 }]));
      if (seen.length === 0) return `${label}: ${t("curve.none")}`;
      const top = seen.reduce((a, b) => (b.value > a.value ? b : a));
      const [first, last] = [seen[0]!, seen.at(-1)!];
      return t("curve.spoken", { label, first: people(first.value), from: timeOf(first.at), last: people(last.value), to: timeOf(last.at), top: people(top.value), when: timeOf(top.at) });
    })
    .join(" ");
}

function optionsOf(parent: HTMLElement, lines: Line[], banded: boolean, few: Set<string>): uPlot.Options {
  const styles = getComputedStyle(parent);
  const colour = (name: string): string => styles.getPropertyValue(name).trim();
  const grid = { stroke: colour("--line"), width: 1 };
  const font = `11px ${styles.fontFamily}`;
  const axis = { stroke: colour("--quiet"), grid, ticks: { show: false }, font };
  const zone = timeZone.value;
  return {
    width: parent.clientWidth,
    height: HEIGHT,
    padding: [10, 18, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 7 }, y: false, drag: { setScale: false, x: false, y: false } },
    tzDate: (s) => uPlot.tzDate(new Date(s * 1e3), zone),
    scales: { x: { time: true }, y: { range: (_, low, high) => rangeOf(low, high) } },
    axes: [
      { ...axis, size: 28, space: 64, values: (_, ticks) => ticks.map((s, k) => (ticks.length > 1 && ticks.at(-1)! - ticks[0]! > 86_400 && k % 2 === 0 ? momentOf(s * 1e3) : timeOf(s * 1e3))) },
      { ...axis, size: 52, space: 34, values: (_, ticks) => ticks.map((n) => people(n)) },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({ label: line.label, stroke: colour(line.colour), width: 2, points: { show: true, filter: alone, size: 5 }, spanGaps: false, ...(line.dash ? { dash: line.dash } : {}) })),
      ...(banded ? [{ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }] : []),
    ],
    ...(banded ? { bands: [{ series: [lines.length + 2, lines.length + 1], fill: colour("--band") }] } : {}),
    plugins: [tooltip(lines, banded, few)],
  };
}

/** From zero, so that heights compare as numbers do; a little air above. */
function rangeOf(low: number | null, high: number | null): [number, number] {
  return [Math.min(0, low ?? 0), Math.max(high ?? 0, 5) * 1.08];
}

/** What stands under the pointer, in words. */
function tooltip(lines: Line[], banded: boolean, few: Set<string>): uPlot.Plugin {
  const tip = document.createElement("div");
  tip.className = "curve-tip";
  tip.hidden = true;
  return {
    hooks: {
      init: (chart) => void chart.over.append(tip),
      setCursor(chart) {
        const k = chart.cursor.idx;
        tip.hidden = k === null || k === undefined;
        if (k === null || k === undefined) return;
        const rows = lines.map((line, n) => {
          const value = chart.data[n + 1]?.[k];
          const text = few.has(fewAt(n, chart.data[0][k]!)) ? "<10" : value === null || value === undefined ? t("unknown.short") : people(value);
          return lines.length > 1 ? `${line.label} ${text}` : text;
        });
        const [low, high] = banded ? [chart.data[lines.length + 1]?.[k], chart.data[lines.length + 2]?.[k]] : [null, null];
        if (low !== null && low !== undefined && high !== null && high !== undefined) rows.push(`${people(low)}–${people(high)}`);
        tip.textContent = [timeOf(chart.data[0][k]! * 1e3), ...rows].join("  ");
        const left = chart.cursor.left ?? 0;
        tip.style.transform = `translateX(${left > chart.over.clientWidth / 2 ? `calc(${left - 10}px - 100%)` : `${left + 10}px`})`;
      },
    },
  };
}
