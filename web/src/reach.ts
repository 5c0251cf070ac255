/** Reach: incidents and units as the desk knows them, fed by the interface and the live stream. */

import { batch, signal } from "@preact/signals";
import { api } from "./api.ts";
import type { Incident, Kind, Post, Proof, Unit } from "./shapes.ts";
import { calmly, coverage, district, drawing, following, layer, say, selection, tab, told } from "./desk.ts";
import { inOrder } from "./order.ts";
import type { LiveMessage } from "./sse.ts";
import { may } from "./staff.ts";

export const incidents = signal<Incident[]>([]);
export const units = signal<Unit[]>([]);
export const posts = signal<Post[]>([]);
export const kinds = signal<Kind[]>([]);
export const proof = signal<Proof | null>(null);
export const cover = signal<{ cover: number; move_up: MoveUp | null } | null>(null);
/** Counts what has changed, for cards that ask again. */
export const reachTick = signal(0);

export interface MoveUp {
  unit: string;
  post: string;
  cover_now: number;
  cover_after: number;
  travel_s: number;
}

export const unit = (id: string): Unit | undefined => units.value.find((one) => one.id === id);
export const incident = (id: string): Incident | undefined => incidents.value.find((one) => one.id === id);
export const post = (id: string | null): Post | undefined => posts.value.find((one) => one.id === id);
/** What waits for somebody to decide. */
export const waiting = (): Incident[] => incidents.value.filter((one) => one.state === "waiting");

const read = inOrder(
  () => Promise.all([may("incidents.read") ? api.incidents(6) : [], may("units.read") ? api.units() : null]),
  ([listed, here]) =>
    batch(() => {
      incidents.value = listed;
      if (here) {
        units.value = here.units;
        posts.value = here.posts;
      }
      reachTick.value += 1;
    }),
);
const refresh = async (): Promise<void> => (document.hidden ? undefined : read());

async function refreshCover(): Promise<void> {
  if (document.hidden || units.value.length === 0) return;
  if (may("units.read", true)) cover.value = await api.reachCover();
  if (may("incidents.read", true)) proof.value = await api.proof(24);
  if (layer.peek() === "reach") coverage.value = await api.reachCells();
}

export const refreshReach = calmly(400, refresh);
const coverSoon = calmly(4_000, refreshCover);

async function begin(): Promise<void> {
  if (kinds.value.length === 0) kinds.value = await api.playbooks().catch(() => []);
  await refresh().catch(() => undefined);
  await coverSoon();
}

function heard({ kind, body }: LiveMessage): void {
  if (kind === "units") moved((body as { units: [string, number, number, string][] }).units);
  else if (kind === "resync" || kind === "open") void begin();
  else if (kind === "change" && ["incident", "unit", "assignment"].includes((body as { kind: string }).kind)) {
    void refreshReach();
    void coverSoon();
  }
}
following.add(heard);

function moved(told: [string, number, number, string][]): void {
  const where = new Map(told.map((one) => [one[0], one]));
  units.value = units.value.map((one) => {
    const news = where.get(one.id);
    return news ? { ...one, at: [news[1], news[2]], position_at: news[3] } : one;
  });
  void coverSoon();
}

/** Do something, tell what went wrong if it did, and read everything anew. */
export async function act(what: Promise<unknown>): Promise<boolean> {
  let done = true;
  try {
    await what;
  } catch (error) {
    say(told(error));
    done = false;
  }
  await refresh().catch(() => undefined);
  void coverSoon();
  return done;
}

/** Let the next click on the map say where an incident is. */
export function beginRaising(): void {
  drawing.value = drawing.value === "spot" ? "off" : "spot";
}

export function raiseAt(at: [number, number]): void {
  batch(() => {
    drawing.value = "off";
    selection.value = { kind: "raise", at };
  });
}

export function show(one: Incident): void {
  batch(() => {
    tab.value = "reach";
    selection.value = { kind: "incident", id: one.id };
  });
}

export const hasUnits = (): boolean => district.value !== null && (units.value.length > 0 || incidents.value.length > 0);
