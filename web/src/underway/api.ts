/** Plans that run, what fired, rehearsals and what the district counts for a case, over HTTP. */

import { ask, get, post } from "../api.ts";
import type { Estimate, Label, Refused } from "../shapes.ts";

export type Measure = "density_per_m2" | "occupancy" | "flow_per_min";

export interface Zone {
  zone: string;
  ground: string;
  capacity: number;
  most_per_m2: number;
  estimate: Estimate | null;
  flow_per_min: number | null;
}

export interface Trigger {
  row: number;
  zone: string;
  measure: Measure;
  above: number;
  for_s: number;
  action: string;
  office: string;
  value: number | null;
  since_at: string | null;
  firing: string | null;
}

export interface ZoneDevice {
  device: string;
  zone: string;
  measure: Measure;
  limit: number;
  value: number | null;
}

export interface Firing {
  id: string;
  case: string;
  row: number;
  zone: string | null;
  measure: Measure;
  above: number;
  action: string | null;
  office: string | null;
  since_at: string;
  at: string;
  highest: number;
  ended_at: string | null;
  mark: "done" | "overruled" | null;
  by: string | null;
  marked_at: string | null;
  note: string;
}

export interface Staffing {
  zone: string;
  n_staff: number;
  n_volunteers: number;
  n_places: number | null;
  n_seated: number | null;
}

export interface Live {
  at: string | null;
  runs: boolean;
  zones: Zone[];
  triggers: Trigger[];
  devices: ZoneDevice[];
  staffing: Staffing[];
  firings: Firing[];
}

export interface Ratio {
  value: number | null;
  low: number;
  high: number | null;
}

export interface Compared {
  before: string;
  after: string;
  level: number;
  n_before: number;
  n_after: number;
  days_before: number;
  days_after: number;
  ratio: Ratio;
  elsewhere_before: number | null;
  elsewhere_after: number | null;
  against: Ratio | null;
  verdict: "fell" | "rose" | "not_told_apart";
}

export interface Numbers {
  numbers: { field: string; value: number | null; from_at: string | null; until_at: string | null; whole: boolean }[];
  compared: Compared[];
}

export interface Wish {
  scenario: string;
  share: number;
  crowd: number;
  seed: number;
}

export interface Going {
  wish: Wish;
  by: string;
  begun_at: string;
  doing: string;
  share: number;
  fault: Refused | null;
  stopped: boolean;
  over: boolean;
}

export interface RehearsedZone {
  zone: string;
  ground: string;
  capacity: number;
  most_per_m2: number;
  occupancy: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  peak: { at: string; occupancy: number; low: number | null; high: number | null; density_per_m2: number | null } | null;
  over_capacity_min: number;
  over_density_min: number;
  unknown_min: number;
}

export interface Made {
  id: string;
  made_at: string;
  by: string;
  wish: Wish;
  scenario: string;
  day: Label;
  n_expected: number;
  begin_at: string;
  end_at: string;
  cut: boolean;
  minutes: string[];
  zones: RehearsedZone[];
  triggers: { row: number; zone: string; measure: Measure; above: number; for_s: number; action: string; office: string; highest: number | null; fired: { since_at: string; at: string }[] }[];
  clearance: { at: string; n_persons: number; half_s: number | null; most_s: number | null; n_stuck: number } | null;
}

export interface Rehearsals {
  going: Going | null;
  days: { id: string; name: Label; visits: number }[];
  rehearsals: Made[];
}

const id = encodeURIComponent;

export const underway = {
  live: (one: string) => get<Live>(`/cases/${id(one)}/live`),
  firings: async () => (await get<{ firings: Firing[] }>("/firings")).firings,
  done: (firing: string) => post<unknown>(`/firings/${id(firing)}/done`, { note: "" }),
  overrule: (firing: string, note: string) => post<unknown>(`/firings/${id(firing)}/overrule`, { note }),
  counted: (one: string) => get<Numbers>(`/cases/${id(one)}/counted`),
  rehearsals: (one: string) => get<Rehearsals>(`/cases/${id(one)}/rehearsals`),
  going: async (one: string) => (await get<{ going: Going | null }>(`/cases/${id(one)}/rehearsals/going`)).going,
  rehearse: (one: string, wish: Wish) => post<Going>(`/cases/${id(one)}/rehearsals`, wish),
  stop: (one: string) => ask(`/cases/${id(one)}/rehearsals/going`, { method: "DELETE" }),
  drop: (one: string, rehearsal: string) => ask(`/cases/${id(one)}/rehearsals/${id(rehearsal)}`, { method: "DELETE" }),
  file: async (one: string, rehearsal: string, lang: string) => (await post<{ digest: string }>(`/cases/${id(one)}/rehearsals/${id(rehearsal)}/file?lang=${lang}`, {})).digest,
};

export const recordHref = (one: string, rehearsal: string, form: string, lang: string): string => `/cases/${id(one)}/rehearsals/${id(rehearsal)}/record?form=${form}&lang=${lang}`;
