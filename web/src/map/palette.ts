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

/** Lower bound (persons per m²) and colour of each step of the density layer: cividis, the same in both themes. */
export const DENSITY_STEPS: readonly { from: number; rgb: readonly [number, number, number]; alpha: number }[] = [
  { from: 0.1, rgb: [0, 50, 110], alpha: 0.62 },
  { from: 0.3, rgb: [48, 72, 110], alpha: 0.74 },
  { from: 0.7, rgb: [83, 93, 110], alpha: 0.8 },
  { from: 1, rgb: [112, 114, 116], alpha: 0.84 },
  { from: 2, rgb: [143, 138, 118], alpha: 0.88 },
  { from: 3, rgb: [177, 163, 109], alpha: 0.92 },
  { from: 4, rgb: [214, 191, 90], alpha: 0.95 },
  { from: 5, rgb: [254, 232, 56], alpha: 1 },
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
