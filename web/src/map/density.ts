import type { Density, District } from "../api.ts";
import { DENSITY_STEPS } from "./palette.ts";

const NOT_WALKABLE = 65_535;
const UNKNOWN = 65_534;
/** Pixels of the picture per side of a cell: enough for a hatch. */
const PIXELS = 4;
const HATCH: Record<"light" | "dark", readonly [number, number, number]> = { light: [70, 82, 92], dark: [150, 164, 174] };

/** The density layer's picture: every cell one flat colour, unknown cells hatched and never coloured as empty. */
export class DensityPicture {
  readonly canvas = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private readonly lookup = new Uint32Array(65_536);

  constructor(private readonly grid: District["grid"]) {
    this.canvas.width = grid.n_columns * PIXELS;
    this.canvas.height = grid.n_rows * PIXELS;
    this.context = this.canvas.getContext("2d")!;
    for (let value = 0; value < UNKNOWN; value++) this.lookup[value] = colourOf(value / 1_000);
  }

  draw(density: Density, theme: "light" | "dark"): void {
    const { n_columns: columns, n_rows: rows } = this.grid;
    if (density.cells.length !== columns * rows) return;
    const image = this.context.createImageData(columns * PIXELS, rows * PIXELS);
    const pixels = new Uint32Array(image.data.buffer);
    const [r, g, b] = HATCH[theme];
    const line = packed(r, g, b, 0.5);
    const wash = packed(r, g, b, 0.12);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const value = density.cells[row * columns + column]!;
        if (value === NOT_WALKABLE || (value !== UNKNOWN && this.lookup[value] === 0)) continue;
        for (let y = 0; y < PIXELS; y++) {
          const start = (row * PIXELS + y) * columns * PIXELS + column * PIXELS;
          for (let x = 0; x < PIXELS; x++) {
            pixels[start + x] = value === UNKNOWN ? ((x + y) % PIXELS === 0 ? line : wash) : this.lookup[value]!;
          }
        }
      }
    }
    this.context.putImageData(image, 0, 0);
  }
}

function colourOf(perM2: number): number {
  const step = DENSITY_STEPS.findLast(({ from }) => perM2 >= from);
  return step ? packed(...step.rgb, step.alpha) : 0;
}

/** A colour as canvas pixels hold it (machines of today are little-endian). */
function packed(r: number, g: number, b: number, alpha: number): number {
  return ((Math.round(alpha * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
