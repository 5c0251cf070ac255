/** Indicators over HTTP, typed. A number may be unknown, with its reason, or hidden, because it would tell of single cases. */

import { get } from "../api.ts";
import type { Label } from "../shapes.ts";
import type { Brief } from "../cases/api.ts";
import type { Every } from "./periods.ts";

export interface Indicator {
  id: string;
  label: Label;
  unit: Label;
  formula: string;
  sources: string[];
  counted: "begun" | "ended" | "standing";
  level: string;
  every: Every;
  better: "more" | "less" | "neither";
  by: string | null;
  least: number;
}

export interface AreaNumber {
  area: string;
  name: Label;
  value: number | null;
  unknown: string | null;
  hidden: boolean;
  n: number | null;
  n_of: number | null;
}

export interface Answer {
  indicator: Indicator;
  period: string;
  from_at: string;
  until_at: string;
  complete: boolean;
  change: number | null;
  whole: AreaNumber;
  before: AreaNumber;
  year_ago: AreaNumber;
  parts: AreaNumber[];
}

const id = encodeURIComponent;
const asked = (area: string, period: string): string => `?${new URLSearchParams({ area, period }).toString()}`;

export const indicators = {
  all: async () => (await get<{ indicators: Indicator[] }>("/indicators")).indicators,
  one: (one: string, area: string, period: string) => get<Answer>(`/indicators/${id(one)}${asked(area, period)}`),
  behind: async (one: string, area: string, period: string) => (await get<{ cases: Brief[] }>(`/indicators/${id(one)}/cases${asked(area, period)}`)).cases,
};

export const bulletinPath = (area: string, month: string, form: string, lang: string): string => `/indicators/bulletin?${new URLSearchParams({ area, month, form, lang }).toString()}`;
