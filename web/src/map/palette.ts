import type { Theme } from "../theme.ts";

/** Colours of the map by theme. Ground, water and green stay quiet, so that people are what is seen. */
export interface Palette {
  outside: string;
  land: string;
  green: string;
  water: string;
  shore: string;
  street: string;
  major: string;
  walk: string;
  casing: string;
  boundary: string;
  place: string;
  key: string;
  area: string;
  selected: string;
  text: string;
  quiet: string;
  waterText: string;
  halo: string;
}

export const PALETTES: Record<Theme, Palette> = {
  light: {
    outside: "#e3e5e3",
    land: "#f4f4f0",
    green: "#dbe7d3",
    water: "#bfd6e3",
    shore: "#9fbfd0",
    street: "#ffffff",
    major: "#ffffff",
    walk: "#f3e6d3",
    casing: "#d6d5cd",
    boundary: "#5a6872",
    place: "#22424e",
    key: "#0b5c66",
    area: "#7a6a92",
    selected: "#c2185b",
    text: "#17252c",
    quiet: "#53636c",
    waterText: "#3d6a85",
    halo: "#fbfbf8",
  },
  dark: {
    outside: "#0a0f13",
    land: "#131b21",
    green: "#16261f",
    water: "#0d2a3b",
    shore: "#184056",
    street: "#26323a",
    major: "#33424c",
    walk: "#3a352c",
    casing: "#0e1519",
    boundary: "#7f919c",
    place: "#a9c4cd",
    key: "#6fd3dc",
    area: "#a493c4",
    selected: "#ff6fa5",
    text: "#e6eef2",
    quiet: "#9fb0b9",
    waterText: "#6ea4c2",
    halo: "#0d1418",
  },
};

/**
 * Lower bound (persons per m²), colour and opacity of each step of the density layer: cividis, the same in both themes.
 * The emptier steps are thinner on a light ground, where their dark blue would otherwise be what is seen first.
 */
export const DENSITY_STEPS: readonly { from: number; rgb: readonly [number, number, number]; alpha: Record<Theme, number> }[] = [
  { from: 0.1, rgb: [0, 50, 110], alpha: { light: 0.26, dark: 0.6 } },
  { from: 0.3, rgb: [40, 68, 110], alpha: { light: 0.5, dark: 0.78 } },
  { from: 0.7, rgb: [77, 88, 109], alpha: { light: 0.72, dark: 0.85 } },
  { from: 1, rgb: [106, 108, 114], alpha: { light: 0.84, dark: 0.88 } },
  { from: 2, rgb: [143, 138, 118], alpha: { light: 0.92, dark: 0.92 } },
  { from: 3, rgb: [182, 166, 106], alpha: { light: 0.95, dark: 0.95 } },
  { from: 4, rgb: [220, 196, 85], alpha: { light: 1, dark: 0.97 } },
  { from: 5, rgb: [254, 232, 56], alpha: { light: 1, dark: 1 } },
];

/** The same of how soon the next incident would be reached, in thousands of seconds: within one, three, five minutes, later. */
export const REACH_STEPS: readonly { from: number; label: string; rgb: readonly [number, number, number]; alpha: Record<Theme, number> }[] = [
  { from: 0, label: "1", rgb: [0, 104, 104], alpha: { light: 0.8, dark: 0.86 } },
  { from: 0.061, label: "3", rgb: [88, 168, 158], alpha: { light: 0.66, dark: 0.7 } },
  { from: 0.181, label: "5", rgb: [226, 190, 110], alpha: { light: 0.6, dark: 0.62 } },
  { from: 0.301, label: ">5", rgb: [178, 60, 34], alpha: { light: 0.55, dark: 0.66 } },
];

/** The same of the layer of coverage: the part of a cell's uncertainty that the devices have taken away. */
export const SEEN_STEPS: readonly { from: number; rgb: readonly [number, number, number]; alpha: Record<Theme, number> }[] = [
  { from: 0, rgb: [140, 45, 4], alpha: { light: 0.72, dark: 0.8 } },
  { from: 0.15, rgb: [204, 76, 2], alpha: { light: 0.6, dark: 0.72 } },
  { from: 0.25, rgb: [236, 150, 60], alpha: { light: 0.55, dark: 0.68 } },
  { from: 0.35, rgb: [200, 190, 130], alpha: { light: 0.6, dark: 0.68 } },
  { from: 0.5, rgb: [110, 175, 165], alpha: { light: 0.7, dark: 0.74 } },
  { from: 0.65, rgb: [40, 130, 130], alpha: { light: 0.8, dark: 0.82 } },
  { from: 0.8, rgb: [0, 84, 96], alpha: { light: 0.9, dark: 0.92 } },
];

/**
 * The same of what a measure changes: fewer people blue, more brown, which those who see few colours tell apart too. Bounds are
 * persons above 32,000, which stands for no change, in thousands; the middle step is not drawn.
 */
export const CHANGE_STEPS: readonly { from: number; rgb: readonly [number, number, number]; alpha: Record<Theme, number>; label: string }[] = [
  { from: 0, rgb: [5, 48, 97], alpha: { light: 0.92, dark: 0.95 }, label: "−300" },
  { from: 31.701, rgb: [33, 102, 172], alpha: { light: 0.85, dark: 0.9 }, label: "−100" },
  { from: 31.901, rgb: [67, 147, 195], alpha: { light: 0.8, dark: 0.85 }, label: "−30" },
  { from: 31.971, rgb: [146, 197, 222], alpha: { light: 0.8, dark: 0.75 }, label: "−10" },
  { from: 31.991, rgb: [255, 255, 255], alpha: { light: 0, dark: 0 }, label: "0" },
  { from: 32.01, rgb: [253, 204, 138], alpha: { light: 0.85, dark: 0.75 }, label: "+10" },
  { from: 32.03, rgb: [241, 140, 60], alpha: { light: 0.85, dark: 0.85 }, label: "+30" },
  { from: 32.1, rgb: [196, 84, 8], alpha: { light: 0.88, dark: 0.9 }, label: "+100" },
  { from: 32.3, rgb: [127, 39, 4], alpha: { light: 0.92, dark: 0.95 }, label: "+300" },
];

/** Colours of a device's state, the same in both themes; its shape and mark tell it too. */
export const STATE_COLOURS: Record<string, string> = {
  ok: "#0f8a7e",
  late: "#c98a00",
  silent: "#6b7780",
  never: "#6b7780",
  suspect: "#c62f2f",
  withdrawn: "#6b7780",
};

/** Colours of an alert's rung, the same in both themes; its word stands beside it in the list. */
export const RUNG_COLOURS = { notice: "#2f7fb8", yellow: "#c99a00", orange: "#e06c00", red: "#c62222" } as const;
