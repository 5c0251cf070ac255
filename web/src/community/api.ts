/** Volunteers, shifts, call-outs and service points over HTTP, typed. No answer holds a contact. */

import { ask, get, post } from "../api.ts";
import type { Label } from "../shapes.ts";

export interface Alliance {
  id: string;
  name: Label;
  trade: string;
  trade_name: Label;
  area: string;
  members: number;
}

export interface Board {
  alliances: Alliance[];
  trades: Record<string, Label>;
  skills: Record<string, Label>;
  languages: Record<string, Label>;
  volunteers: number;
  by_skill: Record<string, number>;
  by_trade: Record<string, number>;
  home_level: string;
}

export interface Tally {
  month: string;
  area: string;
  what: string;
  n: number;
}

export interface Volunteer {
  id: string;
  name: string;
  home: string;
  skills: string[];
  languages: string[];
  alliances: string[];
  trade: string | null;
  consent_ends_at: string | null;
}

export interface Invitation {
  id: string;
  label: string;
  area: string;
  alliance: string | null;
  until_at: string | null;
  left: number;
}

/** Told once: the link and its code are kept nowhere. */
export interface Invited {
  id: string;
  link: string;
  code: string | null;
}

export interface NewInvitation {
  label: string;
  area: string;
  alliance: string | null;
  days: number;
  most: number;
}

export interface Shift {
  id: string;
  name: Label;
  at: [number, number];
  area: string;
  begin_at: string;
  end_at: string;
  places: number;
  needs: Record<string, number>;
  alliance: string | null;
  state: "planned" | "cancelled" | "completed";
  seated: number;
  waiting: number;
  offers: number;
}

export interface ShiftWhole extends Shift {
  code: string;
  here: string;
  sign_up: string;
  people: { name: string; skills: string[]; seated: boolean; in_at: string | null; out_at: string | null }[];
  swaps: { giver: string; taker: string | null }[];
}

export interface NewShift {
  name: Label;
  at: [number, number];
  begin_at: string;
  end_at: string;
  places: number;
  needs: Record<string, number>;
  alliance: string | null;
}

export interface CallOut {
  id: string;
  matter: string;
  at: [number, number];
  area: string;
  quota: number;
  words: string;
  skills: string[];
  alliance: string | null;
  state: "open" | "met" | "stopped" | "over";
  begun_at: string;
  ends_at: string;
  asked: number;
  yes: number;
  no: number;
  circle_m: number;
  left: number;
}

export interface CallOutWhole extends CallOut {
  coming: string[];
}

export interface NewCallOut {
  at: [number, number];
  quota: number;
  words: string;
  skills: string[];
  alliance: string | null;
  hours: number;
}

export interface Near {
  within_m: number;
  volunteers: number;
}

export interface Point {
  id: string;
  kind: string;
  kind_name: Label;
  name: Label;
  at: [number, number];
  open: boolean | null;
}

export interface KindCover {
  kind: string;
  kind_name: Label;
  points: number;
  shares: { within_s: number; residents: number | null; ground: number | null }[];
}

export interface Covered {
  kinds: KindCover[];
  /** Of which the areas may be asked, the coarsest first. */
  levels: string[];
  areas: GeoJSON.FeatureCollection<GeoJSON.Geometry | null, Record<string, number | string | null>>;
}

const ROOT = "/community";
const id = encodeURIComponent;
const asked = (ask: URLSearchParams): string => (ask.size > 0 ? `?${ask.toString()}` : "");

export const community = {
  board: () => get<Board>(ROOT),
  tallies: async () => (await get<{ tallies: Tally[] }>(`${ROOT}/tallies`)).tallies,
  volunteers: (filter: URLSearchParams) => get<{ volunteers: Volunteer[]; next: number | null }>(`${ROOT}/volunteers${asked(filter)}`),
  invitations: async () => (await get<{ invitations: Invitation[] }>(`${ROOT}/invitations`)).invitations,
  invite: (made: NewInvitation) => post<Invited>(`${ROOT}/invitations`, made),
  withdraw: (one: string) => ask(`${ROOT}/invitations/${id(one)}`, { method: "DELETE" }),
  shifts: async (pastDays: number, days: number) => (await get<{ shifts: Shift[] }>(`${ROOT}/shifts?past_days=${pastDays}&days=${days}`)).shifts,
  shift: (one: string) => get<ShiftWhole>(`${ROOT}/shifts/${id(one)}`),
  plan: (made: NewShift) => post<Shift>(`${ROOT}/shifts`, made),
  complete: (one: string) => post<{ came: number; minutes: number }>(`${ROOT}/shifts/${id(one)}/complete`, {}),
  cancel: (one: string) => ask(`${ROOT}/shifts/${id(one)}`, { method: "DELETE" }),
  callOuts: async (pastDays: number) => (await get<{ call_outs: CallOut[] }>(`${ROOT}/call-outs?past_days=${pastDays}`)).call_outs,
  callOut: (one: string) => get<CallOutWhole>(`${ROOT}/call-outs/${id(one)}`),
  call: (made: NewCallOut) => post<CallOut>(`${ROOT}/call-outs`, made),
  helpers: (incident: string, made: { quota: number; words: string; skills: string[] }) => post<CallOut>(`${ROOT}/helpers/${id(incident)}`, made),
  stop: (one: string) => post<CallOut>(`${ROOT}/call-outs/${id(one)}/stop`, {}),
  near: async ([lon, lat]: [number, number], skills: string[]) => {
    const told = new URLSearchParams([["lon", String(lon)], ["lat", String(lat)], ...skills.map((one) => ["skill", one])]);
    return (await get<{ near: Near[] }>(`${ROOT}/near?${told.toString()}`)).near;
  },
  points: async () => (await get<{ points: Point[] }>(`${ROOT}/points`)).points,
  coverage: (level: string) => get<Covered>(`${ROOT}/points/coverage${level ? `?level=${id(level)}` : ""}`),
};

export const shiftCodeHref = (one: string, what: "here" | "sign_up"): string => `/api/v1${ROOT}/shifts/${id(one)}/code.svg?what=${what}`;
export const shiftsCalendarHref = (lang: string, alliance: string): string => `/api/v1${ROOT}/shifts.ics?${new URLSearchParams({ lang, ...(alliance ? { alliance } : {}) }).toString()}`;
