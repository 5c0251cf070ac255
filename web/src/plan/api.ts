/** Plans of posts over HTTP, typed. */

import { ask, get, post } from "../api.ts";

export interface Wish {
  rings: string;
  vehicles: number;
  seconds: number;
  calls: number | null;
  minutes: number;
}

export interface Making {
  begun_at: string;
  by: string;
  doing: string;
  share: number;
  fault: string | null;
  stopped: boolean;
}

export interface Brief {
  id: string;
  made_at: string;
  by: string;
  wish: Wish;
  unit_hours: number;
  gap: number;
  kept: boolean;
}

export interface Step {
  units: number;
  minutes: number;
  share: number;
  bound: number;
  proved: boolean;
}

export interface Spot {
  name: string;
  lon: number;
  lat: number;
}

export interface Plan {
  unit_hours: number;
  gap: number;
  proved: boolean;
  kept: boolean;
  periods: { period: string; units: number; posts: (Spot & { kind: string; units: number })[] }[];
  by_minutes: Step[];
  by_units: Step[];
  vehicles: { period: string; posts: (Spot & { worth: number })[]; shares: { minutes: number; share: number }[] };
}

export interface Whole {
  id: string;
  plan: Plan;
  geojson: GeoJSON.FeatureCollection;
  facts: Record<string, [string, string[][]][]>;
}

export const plans = {
  list: () => get<{ making: Making | null; plans: Brief[] }>("/plans"),
  one: (id: string) => get<Whole>(`/plans/${encodeURIComponent(id)}`),
  begin: (wish: Wish) => post<Making>("/plans", wish),
  stop: () => ask("/plans/making", { method: "DELETE" }),
  fileOf: (id: string, form: string, lang: string) => `/api/v1/plans/${encodeURIComponent(id)}/${form}?lang=${lang}`,
};
