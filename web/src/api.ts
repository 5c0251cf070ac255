/** The district's HTTP interface: every question that a page asks. What is answered is in shapes.ts. */

import type {
  Alert,
  Area,
  Border,
  CurvePoint,
  Density,
  Device,
  DevicePoint,
  District,
  Estimate,
  Flow,
  Forecast,
  InChinese,
  Incident,
  Kind,
  Me,
  Place,
  Polygon,
  Post,
  Proof,
  Proven,
  Recommendation,
  Refused,
  Simulation,
  Tried,
  Trying,
  Unit,
  Watch,
  Weather,
  Why,
} from "./shapes.ts";

/** An answer that is not one: the three parts of the server's error, or `unreachable`. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly nextStep = "",
    readonly value = "",
    readonly rule = "",
    readonly zh: InChinese | null = null,
  ) {
    super(message);
  }
}

/** What came to nothing beside, as it would have been refused at once. */
export const faultFrom = (one: Refused): ApiError => new ApiError(one.code, one.message, 0, one.next_step, one.value, one.rule, one.zh);

const ROOT = "/api/v1";
let guard: string | null = null;

/** The word that goes along with whatever we change: it proves that our own page asks. */
export function setGuard(word: string | null): void {
  guard = word;
}

type Mend = (fault: ApiError, writes: boolean) => Promise<boolean>;
let mend: Mend = () => Promise.resolve(false);

/** Whoever can set right why a request was refused says so by true; then it is asked again, once. */
export function whenRefused(how: Mend): void {
  mend = how;
}

export async function ask(path: string, init?: RequestInit): Promise<Response> {
  const answer = await sent(path, init);
  if (answer.ok) return answer;
  const fault = await faultOf(answer);
  if (!(await mend(fault, Boolean(init?.method)))) throw fault;
  const again = await sent(path, init);
  if (again.ok) return again;
  throw await faultOf(again);
}

async function sent(path: string, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers);
  if (guard !== null && init?.method) headers.set("x-anlan-guard", guard);
  try {
    return await fetch(ROOT + path, { ...init, headers });
  } catch {
    throw new ApiError("unreachable", "", 0);
  }
}

async function faultOf(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => null)) as { error?: Partial<Refused> } | null;
  const told = body?.error;
  const text = told?.value !== undefined ? `${told.value} ${told.rule ?? ""}` : (told?.message ?? answer.statusText);
  return new ApiError(told?.code ?? "failed", text, answer.status, told?.next_step ?? "", told?.value ?? "", told?.rule ?? "", told?.zh ?? null);
}

export async function get<T>(path: string): Promise<T> {
  return (await ask(path)).json() as Promise<T>;
}

export async function post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  const init = { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
  return (await ask(path, init)).json() as Promise<T>;
}

const id = encodeURIComponent;

export const api = {
  me: () => get<Me>("/me"),
  signIn: (name: string, password: string) => post<Me>("/sign-in", { name, password }),
  enter: (link: string) => post<Me>("/enter", { link }),
  firstAccount: (link: string, name: string, shown_name: string, password: string) =>
    post<Me>("/first-account", { link, name, shown_name, password }),
  signOut: () => ask("/sign-out", { method: "POST" }),
  changePassword: (old: string | null, to: string) =>
    ask("/me/password", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ old, new: to }) }),
  district: () => get<District>("/district"),
  layer: (name: string) => get<GeoJSON.FeatureCollection>(`/map/${name}`),
  areaLayer: (level: string) => get<GeoJSON.FeatureCollection>(`/map/areas/${id(level)}`),
  async density(): Promise<Density> {
    const answer = await ask("/density");
    return { at: answer.headers.get("x-anlan-at"), cells: littleEndian(await answer.arrayBuffer()) };
  },
  async coverage(): Promise<Density> {
    return { at: null, cells: littleEndian(await (await ask("/coverage/cells")).arrayBuffer()) };
  },
  places: async () => (await get<{ places: Place[] }>("/places")).places,
  place: (place: string) => get<Place>(`/places/${id(place)}`),
  placeCurve: async (place: string, minutes: number) =>
    (await get<{ points: CurvePoint[] }>(`/places/${id(place)}/curve?minutes=${minutes}`)).points,
  placeForecast: (place: string) => get<Forecast>(`/places/${id(place)}/forecast`),
  whatIf: (measure: Trying) => post<Tried>("/what-if", measure),
  forecast: (polygon: Polygon) => post<Forecast>("/count/forecast", { polygon }),
  areas: async (level: string) => {
    return (await get<{ areas: Area[] }>(`/areas/${id(level)}`)).areas;
  },
  area: (level: string, area: string) => get<Area>(`/areas/${id(level)}/${id(area)}`),
  count: (polygon: Polygon) => post<Estimate>("/count", { polygon, at: null }),
  why: async (polygon: Polygon) => (await post<{ why: Why | null }>("/count", { polygon, at: null, why: true })).why,
  flow: (line: GeoJSON.LineString) => post<Flow>("/flow", { line }),
  placeWhy: async (place: string) => (await get<{ why: Why | null }>(`/places/${id(place)}/why`)).why,
  countCurve: async (polygon: Polygon, minutes: number) =>
    (await post<{ points: CurvePoint[] }>("/count/curve", { polygon, minutes })).points,
  border: () => get<Border>("/border"),
  weather: () => get<Weather>("/weather"),
  devices: async () => (await get<{ devices: Device[] }>("/devices")).devices,
  proven: () => get<Proven>("/proof"),
  deviceCurve: async (device: string, minutes: number) =>
    (await get<{ points: DevicePoint[] }>(`/devices/${id(device)}/curve?minutes=${minutes}`)).points,
  withdraw: (device: string, reason: string) => post<unknown>(`/devices/${id(device)}/withdraw`, { reason }),
  restore: (device: string, reason: string) => post<unknown>(`/devices/${id(device)}/restore`, { reason }),
  watches: async () => {
    return (await get<{ watches: Watch[] }>("/watches")).watches;
  },
  watch: (name: string, polygon: Polygon) => post<Watch>("/watches", { name, polygon }),
  unwatch: (watch: string, version: number) => ask(`/watches/${id(watch)}?version=${version}`, { method: "DELETE" }),
  alerts: async () => (await get<{ alerts: Alert[] }>("/alerts")).alerts,
  acknowledge: (alert: string, note: string) => post<unknown>(`/alerts/${id(alert)}/acknowledge`, { note }),
  closeAlert: (alert: string, note: string) => post<unknown>(`/alerts/${id(alert)}/close`, { note }),
  playbooks: async () => (await get<{ kinds: Kind[] }>("/playbooks")).kinds,
  incidents: async (pastHours: number) => (await get<{ incidents: Incident[] }>(`/incidents?past_hours=${pastHours}`)).incidents,
  incident: (incident: string) => get<Incident>(`/incidents/${id(incident)}`),
  raise: (kind: string, at: [number, number], note: string, key: string) => post<Incident>("/incidents", { kind, at, note }, { "idempotency-key": key }),
  recommendation: (incident: string) => get<Recommendation>(`/incidents/${id(incident)}/recommendation`),
  dispatch: (incident: string, units: string[], reason: string, version: number) =>
    post<Incident>(`/incidents/${id(incident)}/dispatch`, { units, reason, version }),
  recall: (incident: string, unit: string) => post<Incident>(`/incidents/${id(incident)}/recall`, { unit }),
  closeIncident: (incident: string, outcome: string) => post<Incident>(`/incidents/${id(incident)}/close`, { outcome }),
  units: () => get<{ units: Unit[]; posts: Post[] }>("/units"),
  moveUnit: (unit: string, to: string) => post<Unit>(`/units/${id(unit)}/move`, { post: to }),
  reachCover: () => get<{ cover: number; move_up: { unit: string; post: string; cover_now: number; cover_after: number; travel_s: number } | null }>("/reach/cover"),
  proof: (pastHours: number) => get<Proof>(`/reach/proof?past_hours=${pastHours}`),
  async reachCells(): Promise<Density> {
    return { at: null, cells: littleEndian(await (await ask("/reach/cells")).arrayBuffer()) };
  },
  simulation: () => get<Simulation>("/simulation"),
  simulate: (change: { scenario?: string; speed?: number; paused?: boolean }) =>
    post<Simulation>("/simulation", change),
};

function littleEndian(buffer: ArrayBuffer): Uint16Array {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1) return new Uint16Array(buffer);
  const view = new DataView(buffer);
  return Uint16Array.from({ length: buffer.byteLength / 2 }, (_, k) => view.getUint16(2 * k, true));
}
