import type { DeviceKind, DeviceState } from "../shapes.ts";
import { STATE_COLOURS } from "./palette.ts";

export const KINDS: readonly DeviceKind[] = ["gate", "passage", "road", "area", "grid"];
export const STATES: readonly DeviceState[] = ["ok", "late", "silent", "never", "suspect", "withdrawn"];
export const SYMBOL_PX = 22;

/** Outlines on a 22 px square: the shape is the kind. */
const SHAPES: Record<DeviceKind, string> = {
  gate: "M5.5 4h11a1.5 1.5 0 0 1 1.5 1.5v11a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 4 16.500v-11A1.5 1.5 0 0 1 5.500 4z",
  passage: "M11 2.500 19.500 11 11 19.500 2.500 11z",
  road: "M2.500 7.500A2 2 0 0 1 4.500 5.500h13a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z",
  area: "M11 3.200a7.800 7.800 0 1 0 0 15.600 7.800 7.800 0 0 0 0-15.600z",
  grid: "M6.800 3.500h8.400L19.500 11l-4.300 7.500H6.800L2.500 11z",
};

/** Marks inside the shape: the state without its colour. */
const MARKS: Record<DeviceState, string> = {
  ok: "",
  late: "M11 7.500V11l2.500 2",
  silent: "M7.800 11h6.400",
  never: "M9.400 9.300a1.700 1.700 0 1 1 2.300 1.600c-.5.2-.7.6-.7 1.100M11 14.100v.1",
  suspect: "M11 7v5M11 14.600v.1",
  withdrawn: "M8.300 8.300l5.400 5.400M13.700 8.300l-5.400 5.400",
};

const HOLLOW: readonly DeviceState[] = ["silent", "never", "withdrawn"];

export interface SymbolParts {
  outline: string;
  mark: string;
  fill: string;
  stroke: string;
  ink: string;
  dashed: boolean;
}

export function symbolParts(kind: DeviceKind, state: DeviceState): SymbolParts {
  const colour = STATE_COLOURS[state] ?? "#6b7780";
  const hollow = HOLLOW.includes(state);
  return {
    outline: SHAPES[kind] ?? SHAPES.area,
    mark: MARKS[state] ?? "",
    fill: hollow ? "#ffffff" : colour,
    stroke: hollow ? colour : "#ffffff",
    ink: hollow ? "#3d4850" : "#ffffff",
    dashed: state === "never",
  };
}

/** The symbol as pixels for the map. */
export function symbolImage(kind: DeviceKind, state: DeviceState, ratio: number): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SYMBOL_PX * ratio;
  const pen = canvas.getContext("2d")!;
  const parts = symbolParts(kind, state);
  pen.scale(ratio, ratio);
  const outline = new Path2D(parts.outline);
  pen.lineJoin = pen.lineCap = "round";
  pen.lineWidth = 3.4;
  pen.strokeStyle = "rgba(10, 20, 26, 0.35)";
  pen.stroke(outline);
  pen.fillStyle = parts.fill;
  pen.fill(outline);
  pen.lineWidth = 1.8;
  pen.strokeStyle = parts.stroke;
  if (parts.dashed) pen.setLineDash([2.4, 2.2]);
  pen.stroke(outline);
  pen.setLineDash([]);
  pen.strokeStyle = parts.ink;
  pen.lineWidth = 2;
  if (parts.mark) pen.stroke(new Path2D(parts.mark));
  else {
    pen.fillStyle = parts.ink;
    pen.beginPath();
    pen.arc(11, 11, 2.1, 0, 7);
    pen.fill();
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
