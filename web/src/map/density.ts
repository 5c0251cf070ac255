import type { Density, District } from "../shapes.ts";
import type { Theme } from "../theme.ts";
import { CHANGE_STEPS, DENSITY_STEPS, REACH_STEPS, SEEN_STEPS } from "./palette.ts";

/** What the cells show: how many people there are, how well devices see, how soon help would come, or what a measure would change. */
export type Layer = "people" | "seen" | "reach" | "changed";

/** The value of a cell in which a measure changes nothing; others are persons more or fewer than that. */
export const NO_CHANGE = 32_000;
export const NOT_WALKABLE = 65_535;
const UNKNOWN = 65_534;
/** Seconds to a cell that nobody reaches within five minutes: known, and too long. */
const NOT_IN_TIME = 3_601;
/** Pixels of the picture per side of a cell: enough for a hatch. */
const PIXELS = 4;
const HATCH: Record<Theme, readonly [number, number, number]> = { light: [70, 82, 92], dark: [150, 164, 174] };

/** The density layer's picture: every cell one flat colour, unknown cells hatched and never coloured as empty. */
export class DensityPicture {
  readonly canvas = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private readonly lookups: Record<Layer, Record<Theme, Uint32Array>> = {
    people: { light: lookupOf("light", DENSITY_STEPS), dark: lookupOf("dark", DENSITY_STEPS) },
    seen: { light: lookupOf("light", SEEN_STEPS), dark: lookupOf("dark", SEEN_STEPS) },
    reach: { light: lookupOf("light", REACH_STEPS), dark: lookupOf("dark", REACH_STEPS) },
    changed: { light: lookupOf("light", CHANGE_STEPS), dark: lookupOf("dark", CHANGE_STEPS) },
  };

  constructor(private readonly grid: District["grid"]) {
    this.canvas.width = grid.n_columns * PIXELS;
    this.canvas.height = grid.n_rows * PIXELS;
    this.context = this.canvas.getContext("2d")!;
  }

  draw(density: Density, theme: Theme, layer: Layer = "people"): void {
    const { n_columns: columns, n_rows: rows } = this.grid;
    if (density.cells.length !== columns * rows) return;
    const image = this.context.createImageData(columns * PIXELS, rows * PIXELS);
    const pixels = new Uint32Array(image.data.buffer);
    const lookup = this.lookups[layer][theme];
    const [r, g, b] = HATCH[theme];
    const line = packed(r, g, b, 0.34);
    const wash = packed(r, g, b, 0.06);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const told = density.cells[row * columns + column]!;
        const value = layer === "reach" && told === UNKNOWN ? NOT_IN_TIME : told;
        if (value === NOT_WALKABLE || (value !== UNKNOWN && lookup[value] === 0)) continue;
        for (let y = 0; y < PIXELS; y++) {
          const start = (row * PIXELS + y) * columns * PIXELS + column * PIXELS;
          for (let x = 0; x < PIXELS; x++) {
            pixels[start + x] = value === UNKNOWN ? ((x + y) % PIXELS === 0 ? line : wash) : lookup[value]!;
          }
        }
      }
    }
    this.context.putImageData(image, 0, 0);
  }
}

/** The colour of every value that a cell can have; 0 where so few people are not drawn. */
function lookupOf(theme: Theme, steps: typeof DENSITY_STEPS): Uint32Array {
  return Uint32Array.from({ length: UNKNOWN }, (_, value) => {
    const step = steps.findLast(({ from }) => value >= Math.round(from * 1_000));
    return step ? packed(...step.rgb, step.alpha[theme]) : 0;
  });
}

/** A colour as canvas pixels hold it (machines of today are little-endian). */
function packed(r: number, g: number, b: number, alpha: number): number {
  return ((Math.round(alpha * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
