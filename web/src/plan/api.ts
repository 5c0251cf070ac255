/** Plans of posts over HTTP, typed. */

import { ask, get, post } from "../api.ts";
import type { Label, Refused } from "../shapes.ts";

/** A promise: a time, who keeps it, where, for what share of the demand, and how surely. */
export interface Ring {
  within_s: number;
  kinds: string[];
  key: boolean;
  share: number;
  reliability: number;
}

export interface Named {
  key: string;
  name: Label;
}

/** What a plan is asked where nothing else is said, and what may be named as a key area. */
export interface Usual {
  rings: Ring[];
  key: string[];
  names: Named[];
}

export interface Wish {
  rings: Ring[];
  key: string[] | null;
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
  fault: Refused | null;
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
  usual: () => get<Usual>("/plans/usual"),
  one: (id: string) => get<Whole>(`/plans/${encodeURIComponent(id)}`),
  begin: (wish: Wish) => post<Making>("/plans", wish),
  stop: () => ask("/plans/making", { method: "DELETE" }),
  fileOf: (id: string, form: string, lang: string) => `/api/v1/plans/${encodeURIComponent(id)}/${form}?lang=${lang}`,
};
