/** Cases over HTTP, typed. Each answer holds only what whoever is signed in may see. */

import { ask, get, post } from "../api.ts";
import type { RowFault as Fault } from "../refusals.ts";
import type { Label, Lang } from "../shapes.ts";

export type Light = "red" | "yellow" | "green" | "none";
export type FieldKind = "text" | "number" | "integer" | "boolean" | "choice" | "date" | "moment" | "table";
export type Row = Record<string, unknown>;
export type Filled = Record<string, unknown>;

export interface Field {
  id: string;
  label: Label;
  kind: FieldKind;
  required: boolean;
  options: Record<string, Label>;
  least: number | null;
  most: number | null;
  columns: Field[];
  because: Label | null;
  /** What the text is the id of. */
  refers: "ground" | "device" | null;
  /** Left empty, it is counted by the district, where it can. */
  counted: boolean;
  /** A moment is later than those of these fields, a date not before theirs. */
  after: string[];
}

export interface Kind {
  id: string;
  version: number;
  label: Label;
  purpose: Label;
  confidentiality: "public" | "internal" | "restricted" | "sealed";
  entry_level: string;
  may_open: boolean;
  fields: Field[];
  states: Record<string, Label>;
  evidence: Record<string, Label>;
  closed: string[];
  opening: string[];
  steps: Record<string, Label>;
  clocks: Record<string, Label>;
  children: string[];
  carried: string[];
  handed_on: Record<string, string>;
  runs: boolean;
  gates: { step: string; type: string; states: string[] }[];
}

export interface Brief {
  id: string;
  type: string;
  version: number;
  label: Label;
  state: string;
  state_label: Label;
  closed: boolean;
  light: Light;
  area: string;
  owner_level: string;
  owner_area: string;
  post: string;
  opened_at: string;
  changed_at: string;
  due_at: string | null;
  n_changes: number;
  forgotten: boolean;
  lon: number | null;
  lat: number | null;
  fields: Filled;
}

export interface CasePart {
  cases: Brief[];
  next: string | null;
  at: string;
}

export interface Clock {
  id: string;
  label: Label;
  phase: "not_started" | "running" | "resting" | "stopped";
  light: Exclude<Light, "none">;
  elapsed_s: number;
  limit_s: number;
  due_at: string | null;
  provisional_years: number[];
}

export interface Step {
  id: string;
  label: Label;
  to: string;
  fills: string[];
  needs: string[];
  anew: string[];
  evidence: string[];
  note: boolean;
  because: Label | null;
}

export interface Linked {
  id: string;
  type: string;
  state: string;
  closed: boolean;
}

export interface Told {
  clock: string;
  at: string;
  share: number;
  to: "owner" | "up" | "top";
  area: string;
  letter: boolean;
}

/** A step from here that somebody else must take. */
export interface OthersStep {
  id: string;
  label: Label;
  roles: Label[];
  apart_from: string[];
}

export interface Case extends Brief {
  clocks: Clock[];
  steps: Step[];
  others: OthersStep[];
  parent: string | null;
  children: Linked[];
  waits_for: Linked[];
  told: Told[];
  files: { digest: string; media_type: string; n_bytes: number }[];
}

export interface Line {
  step: string;
  source: string;
  target: string;
  at: string;
  actor: string;
  unit: string;
  unit_name: Label | null;
  /** Those that may take this step: one of them was held. */
  roles: Label[];
  filled: Filled;
  evidence: Record<string, string>;
  note: string;
  owner_level: string;
}

export interface Count {
  type: string;
  state: string;
  light: Light;
  n_cases: number;
}

export interface Rule {
  id: string;
  level: string | null;
  post: string;
  areas: string[];
  when: string | null;
  because: Label;
  ruled_in: string | null;
  missed: string;
}

export interface Route {
  areas: Record<string, string>;
  owner_level: string;
  owner_area: string;
  post: string;
  because: Label;
  rules: Rule[];
}

/** A case to be opened, or only to be routed. */
export interface NewCase {
  type: string;
  lon?: number;
  lat?: number;
  area?: string;
  filled: Filled;
  evidence?: Record<string, string>;
  note?: string;
  parent?: string;
  like?: string;
}

export interface NewStep {
  step: string;
  filled: Filled;
  evidence: Record<string, string>;
  note: string;
  seen: number;
}

export interface Taken {
  id: string;
  state: string;
  n_changes: number;
}

export interface Day {
  on: string;
  working: boolean;
  name: Label | null;
  confirmed: boolean;
  n_due: Partial<Record<Light, number>>;
  due: Brief[];
}

export interface Dated {
  case: Brief;
  field: string;
  label: Label;
  on: string;
  at: string | null;
}

export interface Agenda {
  days: Day[];
  dated: Dated[];
  whole: boolean;
}

export interface AreaName {
  id: string;
  level: string;
  parent: string | null;
  name: Label;
}

export interface RowFault extends Fault {
  row: number;
  column: string;
}

/** What became of a sheet: every fault in it, and what was opened: all of it, or nothing. */
export interface Imported {
  n_cases: number;
  faults: RowFault[];
  opened: string[];
}

export interface Moved {
  to: number;
  n_cases: number;
  misfits: (Fault & { case: string; where: string })[];
  n_moved: number;
}

export interface Offered {
  id: string;
  label: Label;
  missed: string;
}

export interface Verified {
  verified: boolean;
  told: Record<string, string>;
  stands: boolean | null;
}

export interface Reference {
  id: string;
  name: Label;
}

export type References = Record<"ground" | "device", Reference[]>;

const id = encodeURIComponent;
const asked = (ask: URLSearchParams): string => (ask.size > 0 ? `?${ask.toString()}` : "");

export const cases = {
  list: (filter: URLSearchParams) => get<CasePart>(`/cases${asked(filter)}`),
  counts: async (filter: URLSearchParams) => (await get<{ counts: Count[] }>(`/cases/counts${asked(filter)}`)).counts,
  kinds: async () => (await get<{ types: Kind[] }>("/cases/types")).types,
  kind: (type: string, version: number) => get<Kind>(`/cases/types/${id(type)}?version=${version}`),
  references: () => get<References>("/cases/references"),
  areas: async () => (await get<{ areas: AreaName[] }>("/areas")).areas,
  one: (one: string) => get<Case>(`/cases/${id(one)}`),
  history: async (one: string) => (await get<{ history: Line[] }>(`/cases/${id(one)}/history`)).history,
  route: (made: NewCase) => post<Route>("/cases/route", made),
  open: (made: NewCase) => post<Taken>("/cases", made),
  step: (one: string, step: NewStep) => post<Taken>(`/cases/${id(one)}/steps`, step),
  link: (one: string, other: string) => post<Taken>(`/cases/${id(one)}/links/${id(other)}`, {}),
  papers: async (one: string) => (await get<{ papers: Offered[] }>(`/cases/${id(one)}/papers`)).papers,
  verify: (code: string) => get<Verified>(`/papers/verify?code=${id(code)}`),
  paperKey: async () => (await get<{ key: string }>("/papers/key")).key,
  migrate: (type: string, to: number, dry_run: boolean) => post<Moved>("/cases/migrate", { type, to, dry_run }),
  async importSheet(type: string, sheet: File, parent: string, dry: boolean): Promise<Imported> {
    const asked = new URLSearchParams({ type, file: sheet.name, dry_run: String(dry), ...(parent ? { parent } : {}) });
    const answer = await ask(`/cases/import?${asked.toString()}`, { method: "POST", body: sheet, headers: { "content-type": "application/octet-stream" } });
    return (await answer.json()) as Imported;
  },
  calendar: (filter: URLSearchParams) => get<Agenda>(`/cases/calendar${asked(filter)}`),
  async sendFile(file: Blob): Promise<string> {
    const answer = await ask("/cases/files", { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
    return ((await answer.json()) as { digest: string }).digest;
  },
};

export const fileHref = (one: string, digest: string): string => `/api/v1/cases/${id(one)}/files/${digest}`;
/** The sheet of a list, for people: in words of a language, with codes beside them. */
export const exportHref = (filter: URLSearchParams, lang: Lang): string => {
  const told = new URLSearchParams(filter);
  told.set("lang", lang);
  return `/api/v1/cases/export${asked(told)}`;
};
export const paperPath = (one: string, document: string, how: Record<string, string>): string => `/cases/${id(one)}/papers/${id(document)}?${new URLSearchParams(how).toString()}`;
