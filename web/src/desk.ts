/** What the desk knows: signals fed by the interface and the live stream. */

import { batch, computed, signal } from "@preact/signals";
import { api, ApiError } from "./api.ts";
import type {
  Alert,
  Area,
  Border,
  CurvePoint,
  Density,
  Device,
  District,
  Estimate,
  Place,
  Polygon,
  Simulation,
  Tried,
  Watch,
  Weather,
} from "./shapes.ts";
import { chime } from "./chime.ts";
import { t, timeZone } from "./i18n.ts";
import { listen } from "./live.ts";
import { inOrder } from "./order.ts";
import { refusalLine } from "./refusals.ts";
import { NO_CHANGE, NOT_WALKABLE as NOT_SHOWN, type Layer } from "./map/density.ts";
import type { LiveLink, LiveMessage } from "./sse.ts";
import { enter, inside, may } from "./staff.ts";

export type Selection =
  | { kind: "place"; id: string }
  | { kind: "device"; id: string }
  | { kind: "area"; id: string; level: string }
  | { kind: "polygon"; polygon: Polygon; name: string; watch: { id: string; version: number } | null }
  | { kind: "line"; line: GeoJSON.LineString }
  | { kind: "incident"; id: string }
  | { kind: "raise"; at: [number, number] };

export type Tab = "alerts" | "reach" | "places" | "devices" | "areas" | "watches";
/** Drawing a new polygon or line, or moving the corners of the selected polygon. */
export type Drawing = "off" | "new" | "line" | "corners" | "spot";

export const district = signal<District | null>(null);
export const whole = signal<Estimate | null>(null);
export const places = signal<Place[]>([]);
export const devices = signal<Device[]>([]);
export const watches = signal<Watch[]>([]);
export const alerts = signal<Alert[]>([]);
export const simulation = signal<Simulation | null>(null);
export const densities = signal<Density | null>(null);
export const layer = signal<Layer>("people");
export const coverage = signal<Density | null>(null);
/** What the measure tried last would change, cell by cell; null where none is shown. */
/** What goes over the district's border; null where nobody may see it. */
export const border = signal<Border | null>(null);
export const changes = signal<Density | null>(null);
/** The weather as it was known when it was last asked for; null before that. */
export const weather = signal<Weather | null>(null);
export const trails = signal<ReadonlyMap<string, CurvePoint[]>>(new Map());
export const link = signal<LiveLink>("connecting");
export const selection = signal<Selection | null>(null);
export const tab = signal<Tab>("places");
export const drawing = signal<Drawing>("off");
export const level = signal<string>("");
export const failure = signal<string>("");
export const toast = signal<string>("");
/** Counts the estimated minutes: whatever shows a present number asks again when it changes. */
export const minute = signal(0);
/** The same for what costs more to ask, at most every few seconds of the user's time however fast the district's runs. */
export const slowMinute = signal(0);
/** The browser's clock, twice a second. */
export const tick = signal(Date.now());

interface Anchor {
  at: number;
  heard: number;
  speed: number;
  paused: boolean;
}
const anchor = signal<Anchor | null>(null);
const TRAIL_MINUTES = 60;
const STALE_AFTER_MIN = 3;
const USUALLY_BEHIND_MS = 100_000; // a minute, the ten seconds it waits for counts, and what making it takes
const UNHEARD_MS = 90_000; // how far a played district's clock runs on by itself, in its own time
const BACKWARDS_MS = 120_000; // a correction backwards that is smaller makes the clock wait instead of jump

/** The district's time: what the server last said, run on at its speed. */
export const now = computed<number | null>(() => {
  const heard = anchor.value;
  if (!heard) return null;
  if (heard.paused) return heard.at;
  const run = Math.max(0, tick.value - heard.heard) * heard.speed;
  return heard.at + (simulation.value ? Math.min(run, UNHEARD_MS) : run);
});

export const lastAt = computed<string | null>(() => whole.value?.at ?? district.value?.estimated_at ?? null);

/** Whether the numbers on the screen are old: the stream is cut, or the estimate has fallen behind the clock. */
export const stale = computed<boolean>(() => {
  if (link.value === "lost") return true;
  const at = lastAt.value;
  return at !== null && now.value !== null && now.value - Date.parse(at) > STALE_AFTER_MIN * 60_000 + graceMs();
});

/** How far the estimate is behind the district's clock, ms, where that is more than a minute and its making take. */
export const behind = computed<number | null>(() => {
  const at = lastAt.value;
  if (at === null || now.value === null) return null;
  const ms = now.value - Date.parse(at);
  return ms > USUALLY_BEHIND_MS + graceMs() ? ms : null;
});

/** The devices whose counts come late, and by how much the one in the middle does. */
export const late = computed<{ n: number; s: number } | null>(() => {
  const delays = devices.value.filter((one) => one.state === "late" && one.delay_s !== null).map((one) => one.delay_s ?? 0);
  delays.sort((a, b) => a - b);
  const s = delays[delays.length >> 1];
  return s === undefined ? null : { n: delays.length, s };
});

/** A played district may owe a few seconds of ours, which are minutes of its own. */
function graceMs(): number {
  return simulation.value ? 10_000 * simulation.value.speed : 0;
}

export const place = (id: string): Place | undefined => places.value.find((one) => one.id === id);
export const device = (id: string): Device | undefined => devices.value.find((one) => one.id === id);

/** What an error says to the user, in the language of the page. */
export function told(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.code === "unreachable") return t("error.unreachable");
    return error.rule ? refusalLine(error) : t("error.failed", { status: error.status, text: error.message });
  }
  return error instanceof Error ? error.message : String(error);
}

let toasted = 0;
export function say(text: string): void {
  clearTimeout(toasted);
  toast.value = text;
  toasted = setTimeout(() => (toast.value = ""), 6_000) as unknown as number;
}

let ticking = false;

export async function open(): Promise<void> {
  if (!ticking) setInterval(() => (tick.value = Date.now()), 500);
  ticking = true;
  for (;;) {
    try {
      await enter();
      failure.value = "";
      if (!inside.value) return; // the page asks to sign in, and opens again
      const [opened, listed, counters] = await Promise.all([
        api.district(),
        may("crowd.read") ? api.places() : [],
        may("devices.read") ? api.devices() : [],
      ]);
      batch(() => {
        timeZone.value = opened.time_zone;
        district.value = opened;
        whole.value = opened.estimate;
        places.value = listed;
        devices.value = counters;
        level.value = opened.levels.at(-1) ? (opened.levels[1] ?? opened.levels[0])!.key : "";
        heardTime(opened.now, 1, opened.simulated);
        failure.value = "";
      });
      break;
    } catch (error) {
      failure.value = told(error);
      await new Promise((done) => setTimeout(done, 2_000));
    }
  }
  listen({ message: heard, link: (to) => (link.value = to) });
  for (const one of following) one({ kind: "open", body: null });
  void refreshSimulation();
  void refreshDensity();
  void refreshWatches();
  void refreshAlerts();
  void refreshBorder();
  void refreshWeather();
  void fillTrails();
  addEventListener("visibilitychange", () => {
    if (!document.hidden) void refreshAll();
  });
}

function heardTime(at: string, speed: number, paused: boolean): void {
  const shown = now.peek();
  const told = Date.parse(at);
  const waits = shown !== null && told < shown && shown - told < BACKWARDS_MS;
  anchor.value = { at: waits ? shown : told, heard: Date.now() + (waits && speed > 0 ? (shown - told) / speed : 0), speed, paused };
}

interface Minute {
  at: string;
  now: string;
  district: Estimate | null;
  places: (Pick<Estimate, "occupancy" | "low" | "high" | "density_per_m2" | "level_of_service" | "unknown"> &
    Partial<Estimate> & { id: string })[];
}

/** Other parts of the desk that follow the stream; they are told `open` once it is there. */
export const following = new Set<(message: LiveMessage) => void>();

function heard({ kind, body }: LiveMessage): void {
  for (const one of following) one({ kind, body });
  if (kind === "minute") heardMinute(body as Minute);
  else if (kind === "clock") heardPace(body as Pace);
  else if (kind === "weather") void refreshWeather();
  else if (kind === "change") heardChange(body as { kind: string; action: string });
  else if (kind === "resync") {
    showChanges(null); // it was tried on an estimate that may be of another day
    void refreshAll();
  }
}

/** An alert is asked for at once, whatever else a change may ask for a little later. */
function heardChange({ kind, action }: { kind: string; action: string }): void {
  if (["incident", "unit", "assignment", "case", "case_read", "case_export", "trigger", "rehearsal", "shift", "call_out", "invitation", "outbox"].includes(kind)) return;
  if (kind !== "alert") return void Promise.all([refreshWatches(), devicesSoon()]);
  if (action === "raise" || action === "escalate" || action === "reach") chime();
  void refreshAlerts();
}

type Pace = { now: string } & Pick<Simulation, "speed" | "paused" | "rushing" | "fault">;

function heardPace(said: Pace): void {
  batch(() => {
    heardTime(said.now, said.speed, said.paused);
    if (simulation.value) simulation.value = { ...simulation.value, ...said };
  });
}

function heardMinute(said: Minute): void {
  const fresh = new Map(said.places.map((one) => [one.id, one]));
  batch(() => {
    whole.value = said.district;
    const played = simulation.value;
    heardTime(said.now, played?.speed ?? 1, played?.paused ?? false);
    places.value = places.value.map((one) => {
      const news = fresh.get(one.id);
      if (!news) return one;
      const { id: _, ...numbers } = news;
      const estimate: Estimate = { ...one.estimate, hidden: false, freshness_s: null, ...numbers, at: said.at };
      if (news.unknown === null && news.occupancy === null && news.hidden === undefined) estimate.hidden = true;
      const of = one.capacity && estimate.occupancy !== null ? estimate.occupancy / one.capacity : null;
      return { ...one, estimate, share_of_capacity: of };
    });
    const later = new Map(trails.value);
    for (const one of said.places) {
      const point = { at: said.at, occupancy: one.occupancy, low: one.low, high: one.high, hidden: one.hidden ?? false };
      later.set(one.id, [...(later.get(one.id) ?? []).filter((p) => p.at < said.at), point].slice(-TRAIL_MINUTES));
    }
    trails.value = later;
    minute.value += 1;
  });
  void curvesSoon();
  void densitySoon();
  void devicesSoon();
  if (alerts.value.length > 0) void alertsSoon();
  if (weather.value && hourOf(weather.value.at) !== hourOf(said.now)) void weatherSoon();
}

const hourOf = (at: string): number => Math.floor(Date.parse(at) / 3_600_000);

/** Run at most once in every `ms`, and once more after the last wish. */
export function calmly(ms: number, work: () => Promise<void>): () => Promise<void> {
  let running = false;
  let again = false;
  return async function run(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    await work().catch(() => undefined); // the stream's own state tells of a lost server
    setTimeout(() => {
      running = false;
      if (again) {
        again = false;
        void run();
      }
    }, ms);
  };
}

export const refreshAlerts = inOrder(
  () => api.alerts().catch(() => alerts.value),
  (told) => void (alerts.value = told),
);

export const refreshWatches = inOrder(
  () => api.watches().catch(() => watches.value),
  (told) => void (watches.value = told),
);

/** What is known of the weather, in the order in which it was asked for. */
const refreshWeather = inOrder(
  () => api.weather().catch(() => weather.value),
  (told) => void (weather.value = told),
);

const weatherSoon = calmly(4_000, async () => void (await refreshWeather()));
const curvesSoon = calmly(4_000, async () => void (slowMinute.value += 1));
const densitySoon = calmly(1_000, refreshDensity);
const devicesSoon = calmly(4_000, async () => void (await Promise.all([refreshDevices(), refreshBorder()])));
const alertsSoon = calmly(2_000, refreshAlerts);

export async function showLayer(one: Layer): Promise<void> {
  layer.value = one;
  await refreshDensity().catch((error: unknown) => say(told(error)));
}

/** Show on the map what a measure would change, or take it off. */
export function showChanges(made: Tried | null): void {
  const grid = district.peek()?.grid;
  if (!made || !grid) {
    batch(() => {
      changes.value = null;
      if (layer.value === "changed") layer.value = "people";
    });
    return;
  }
  const cells = new Uint16Array(grid.n_columns * grid.n_rows).fill(NOT_SHOWN);
  for (const [row, column, more] of made.cells) cells[row * grid.n_columns + column] = NO_CHANGE + Math.max(-NO_CHANGE, Math.min(NO_CHANGE, more));
  batch(() => {
    changes.value = { at: made.at, cells };
    layer.value = "changed";
  });
}

async function refreshDensity(): Promise<void> {
  if (document.hidden || !may("crowd.read", true)) return;
  if (layer.peek() === "seen") coverage.value = await api.coverage();
  if (layer.peek() === "reach") coverage.value = await api.reachCells();
  densities.value = await api.density();
}

async function refreshBorder(): Promise<void> {
  if (!may("crowd.read", true)) return;
  border.value = await api.border().catch(() => null);
}

async function refreshDevices(): Promise<void> {
  if (document.hidden || !may("devices.read")) return;
  devices.value = await api.devices();
}

export async function refreshSimulation(): Promise<void> {
  if (!district.value?.simulated) return;
  try {
    const status = await api.simulation();
    batch(() => {
      simulation.value = status;
      if (status.now) heardTime(status.now, status.speed, status.paused);
    });
  } catch {
    // the stream's own state tells of a lost server
  }
}

/** Read everything anew: after a gap, or where the district began another day. */
async function refreshAll(): Promise<void> {
  const [opened, listed] = await Promise.all([api.district(), api.places()]).catch(() => [null, null] as const);
  batch(() => {
    if (opened) {
      district.value = opened;
      whole.value = opened.estimate;
    }
    if (listed) places.value = listed;
    trails.value = new Map();
    minute.value += 1;
    slowMinute.value += 1;
  });
  void fillTrails();
  await Promise.allSettled([refreshDensity(), refreshDevices(), refreshBorder(), refreshWeather(), refreshWatches(), refreshAlerts(), refreshSimulation()]);
}

/** Fetch the last hour of every place, a few at a time. */
async function fillTrails(): Promise<void> {
  const waiting = places.value.map((one) => one.id);
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const points = await api.placeCurve(id, TRAIL_MINUTES).catch(() => []);
      const later = new Map(trails.value);
      const newest = points.at(-1)?.at ?? "";
      later.set(id, [...points, ...(later.get(id) ?? []).filter((p) => p.at > newest)].slice(-TRAIL_MINUTES));
      trails.value = later;
    }
  };
  await Promise.all([work(), work(), work()]);
}

export async function simulate(change: { scenario?: string; speed?: number; paused?: boolean }): Promise<void> {
  try {
    const status = await api.simulate(change);
    batch(() => {
      simulation.value = status;
      if (status.now) heardTime(status.now, status.speed, status.paused);
    });
    if (change.scenario !== undefined) await refreshAll();
  } catch (error) {
    say(told(error));
  }
}

const areaLists = new Map<string, Promise<Area[]>>();

/** The areas of a level with their numbers of this minute; asked for once a minute. */
export function areasOf(of: string, at: number): Promise<Area[]> {
  const key = `${of}@${at}`;
  let asked = areaLists.get(key);
  if (!asked) {
    asked = api.areas(of);
    areaLists.clear();
    areaLists.set(key, asked);
    asked.catch(() => areaLists.delete(key));
  }
  return asked;
}

/** How many of its limits a place is over: its thresholds of density, and its capacity as the second of them. Unknown: -1. */
export function severity(one: Place): number {
  const { density_per_m2: crowd, unknown } = one.estimate;
  if (unknown !== null || crowd === null) return -1;
  const { notice_per_m2 = 2, yellow_per_m2 = 3, orange_per_m2 = 4, red_per_m2 = 5 } = one.thresholds;
  const dense = [notice_per_m2, yellow_per_m2, orange_per_m2, red_per_m2].filter((limit) => crowd >= limit).length;
  return Math.max(dense, (one.share_of_capacity ?? 0) >= 1 ? 2 : 0);
}
