/** What the district's HTTP interface tells. Every number may be unknown, which is null with its reason and never zero. */

export type Lang = "zh" | "en";
export type Label = Partial<Record<Lang, string>>;
export type UnknownReason = "stale" | "no_device" | "flow_only" | "too_small" | "not_walkable" | "not_started";
export type Level = "A" | "B" | "C" | "D" | "E" | "F";

export interface Estimate {
  at: string;
  occupancy: number | null;
  sd: number | null;
  low: number | null;
  high: number | null;
  level: number;
  density_per_m2: number | null;
  level_of_service: Level | null;
  walkable_m2: number;
  freshness_s: number | null;
  hidden: boolean;
  unknown: UnknownReason | null;
}

export interface Why {
  explained: number;
  by_kind: Partial<Record<DeviceKind, number>>;
  sources: { device: string; kind: DeviceKind; name: Label; share: number }[];
  narrower: { kind: DeviceKind; place: string | null; at: [number, number]; narrowed_by: number } | null;
  usual: number | null;
}

export interface District {
  id: string;
  name: Label;
  version: string;
  schematic: boolean;
  notice: Label;
  attribution: string;
  time_zone: string;
  languages: Lang[];
  centre: [number, number];
  bounds: [number, number, number, number];
  levels: { key: string; label: Label | string }[];
  figures: Record<string, number>;
  grid: { n_columns: number; n_rows: number; size_m: number; corners: [number, number][] };
  simulated: boolean;
  now: string;
  estimated_at: string | null;
  estimate: Estimate | null;
  n_devices: number;
  n_areas: Record<string, number>;
}

export interface Place {
  id: string;
  name: Label;
  kind: string;
  capacity: number | null;
  closed: boolean;
  key: boolean;
  thresholds: Record<string, number>;
  estimate: Estimate;
  share_of_capacity: number | null;
}

export interface Area {
  id: string;
  name: Label;
  parent: string | null;
  estimate: Estimate | null;
}

export type DeviceState = "ok" | "late" | "silent" | "never" | "suspect" | "withdrawn";
export type DeviceKind = "gate" | "passage" | "road" | "area" | "grid";

export interface Counted {
  in?: number | null;
  out?: number | null;
  passed?: number | null;
  present?: number | null;
}

export interface Suspicion {
  fault: "zero" | "stuck" | "lost" | "swapped" | "clock" | "restarted" | "contradicts";
  left_out: boolean;
  since_at: string | null;
  counted_per_min: number | null;
  expected_per_min: number | null;
  minutes: number | null;
  off_s: number | null;
  ratio: number | null;
}

export interface Device {
  id: string;
  name: Label;
  kind: DeviceKind;
  place: string | null;
  interval_s: number;
  state: DeviceState;
  reason: string | null;
  last_end_at: string | null;
  /** How long after its window the newest count came in. */
  delay_s: number | null;
  last: Counted | null;
  per_minute: number | null;
  suspicion?: Suspicion | null;
  tally: Tally | null;
}

export interface Tally {
  accepted: number;
  late: number;
  out_of_order: number;
  duplicate: number;
  refused: number;
  refused_by_code: Record<string, number>;
}

/** People, or vehicles, over the border per minute; the whole is null where a line is silent, or where there is none. */
export interface BorderFlow {
  in_per_minute: number | null;
  out_per_minute: number | null;
  net_per_minute: number | null;
  net_sd_per_minute: number | null;
  counted_in_per_minute: number | null;
  counted_out_per_minute: number | null;
  over_s: number;
  lines: string[];
  silent: string[];
}

export interface Border {
  at: string | null;
  people: BorderFlow;
  vehicles: BorderFlow;
}

export interface CurvePoint {
  at: string;
  occupancy: number | null;
  low: number | null;
  high: number | null;
  /** Fewer than ten: no number is told. */
  hidden: boolean;
}

export interface Flow {
  per_minute: number | null;
  low: number | null;
  high: number | null;
  in_per_minute: number | null;
  out_per_minute: number | null;
  width_m: number;
  counted_share: number | null;
  devices: string[];
  freshness_s: number | null;
  hidden: boolean;
  unknown: string | null;
}

export interface DevicePoint extends Counted {
  at: string;
}

export interface Watch {
  id: string;
  version: number;
  name: string;
  polygon: Polygon;
  estimate: Estimate | null;
}

export type Rung = "notice" | "yellow" | "orange" | "red";
export type Measure = "density" | "share_of_capacity" | "specific_flow" | "net_inflow";

/** What is expected rests on this. */
export type Basis = "trees" | "usual" | "plan" | "trend";

/** Why an alert stands; `value`, `sd` and `limit` in the unit of the measure. */
export interface Grounds {
  measure: Measure;
  limit: number;
  also: "net_inflow" | "weaker_share" | "in_per_out" | null;
  above: number | null;
  source: Label | string;
  value: number | null;
  sd: number | null;
  probability: number | null;
  ahead_s: number;
  occupancy: number | null;
  net_inflow: number | null;
  other: number | null;
  devices: string[];
  rests_on: Basis[];
}

export interface Mark {
  by: string;
  at: string;
  note: string;
}

export interface Alert {
  id: string;
  subject: { kind: "place" | "device"; id: string; name: Label };
  kind: "crowd" | "flow" | "unseen";
  rung: Rung;
  highest: Rung;
  since_at: string;
  changed_at: string;
  reached_at: string | null;
  expected_at: string | null;
  lead_s: number | null;
  ended_at: string | null;
  unknown: UnknownReason | null;
  grounds: Grounds | null;
  standing: boolean;
  version: number;
  acknowledged: Mark | null;
  closed: Mark | null;
}

export interface Simulation {
  scenario: string | null;
  scenarios: { id: string; name: Label }[];
  speed: number;
  paused: boolean;
  now: string | null;
  kind: "twin" | "replay";
  /** True while the player makes up for the time before the scenario opens. */
  rushing?: boolean;
  /** What ended the player, where something did. */
  fault?: string | null;
}

/** People expected. `usual`: what the hours of the week are used to; `trend`: how the last hour went. */
export interface Forecast {
  made_at: string;
  basis: Basis | null;
  /** Whether it would be another if nothing of the weather were known. */
  by_weather: boolean;
  days: number;
  points: CurvePoint[];
}

/** An hour of weather by its beginning; null is unknown, which is not dry. */
export interface WeatherHour {
  time: string;
  rain_mm: number | null;
  temperature_c: number | null;
}

/** The last full hour that was measured, if it was one of the last two, and the hours from the present one on as foreseen. */
export interface Weather {
  at: string;
  measured: WeatherHour | null;
  ahead: WeatherHour[];
}

/** By how much intervals on open ground are wider than by the constants, and the last day on which cameras were withheld. */
export interface Proven {
  factor: number;
  day: { on: string; held_before: number; views: unknown[] } | null;
}

/** A measure to try: where it holds, and what its kind needs. */
export interface Trying {
  kind: string;
  place?: string;
  polygon?: Polygon;
  gateway?: string;
  per_minute?: number;
  bearing_deg?: number;
  open_s?: number;
  cycle_s?: number;
  width_m?: number;
}

export interface Band {
  mean: number;
  low: number;
  high: number;
}

/** What a measure changes against doing nothing. Cells: row from the north, column, persons more or fewer, its spread. */
export interface Tried {
  at: string;
  minutes: number;
  n_members: number;
  places: {
    id: string;
    difference: Band | null;
    peak_without_per_m2: Band | null;
    peak_under_per_m2: Band | null;
    curve: { without: ([number, number, number] | null)[]; under: ([number, number, number] | null)[] } | null;
  }[];
  cells: [number, number, number, number][];
  under_way: Band;
  turned_away: Band;
  cut_off: number;
  cut_off_places: string[];
}

export type UnitStatus = "available" | "dispatched" | "en_route" | "on_scene" | "returning" | "out_of_service";

/** A team or vehicle as it is now. */
export interface Unit {
  id: string;
  name: Label;
  kind: string;
  crew: number;
  capabilities: string[];
  agency: string;
  status: UnitStatus;
  since_at: string | null;
  at: [number, number] | null;
  position_at: string | null;
  post: string | null;
  incident: string | null;
  version: number;
}

export interface Post {
  id: string;
  name: Label;
  at: [number, number];
}

export interface Assignment {
  id: string;
  unit: string;
  dispatched_at: string;
  en_route_at: string | null;
  on_scene_at: string | null;
  available_at: string | null;
  turnout_s: number | null;
  travel_s: number | null;
  response_s: number | null;
  on_scene_s: number | null;
  expected_s: number | null;
  low_s: number | null;
  high_s: number | null;
  overridden: boolean;
  ended: "cleared" | "recalled" | "pre_empted" | null;
}

export interface Incident {
  id: string;
  kind: string;
  name: Label;
  priority: number;
  at: [number, number];
  area: string | null;
  place: string | null;
  state: "waiting" | "dispatched" | "on_scene" | "closed";
  received_at: string;
  dispatched_at: string | null;
  on_scene_at: string | null;
  closed_at: string | null;
  outcome: string | null;
  unattended: boolean;
  target_s: number | null;
  version: number;
  note: string | null;
  reason: string | null;
  assignments: Assignment[];
}

export interface Need {
  units: number;
  capabilities: string[];
  crew: number;
  agency: string | null;
}

export interface Kind {
  kind: string;
  name: Label;
  priority: number;
  target_s: number;
  needs: Need[];
}

/** A unit that could go, with the reason; or why it could not. */
export interface Candidate {
  unit: string;
  chosen: boolean;
  barred: string | null;
  expected_s: number | null;
  low_s: number | null;
  high_s: number | null;
  within: number | null;
  has: string[];
  crew: number;
  takes_from: string | null;
  cover_lost: number;
  cost_s: number | null;
}

export interface Recommendation {
  incident: string;
  at: string;
  /** Why there is none; null where there is one. */
  reason: "closed" | null;
  target_s: number | null;
  left_s: number | null;
  chosen: string[];
  on_it: string[];
  missing: Need[];
  cover_now: number | null;
  cover_after: number | null;
  candidates: Candidate[];
}

export interface Share {
  n: number;
  of: number;
  share: number | null;
  low: number | null;
  high: number | null;
}

export interface Reached {
  group: string;
  n: number;
  n_reached: number;
  response_s: { p50: number | null; p90: number | null };
  within: Record<string, Share>;
}

/** What was really reached. */
export interface Proof {
  overall: Reached;
  by_kind: Reached[];
  by_area: Reached[];
  promised: Share;
  overridden: Share;
  kept: Share;
  broken: { incident: string; target_s: number; late_s: number | null; cause: string }[];
  busy: number | null;
}

export interface Office {
  id: string;
  name: Label;
  roles: string[];
  area: string;
}

/** Who is looking. `open`: nobody signs in here; `first`: there is no account yet; `unknown`: sign in. */
export interface Me {
  state: "open" | "first" | "unknown" | "known";
  account: { id: string; name: string | null; shown_name: string | null } | null;
  offices: Office[];
  rights: Record<string, "own" | "everywhere">;
  guard: string | null;
}

export type Polygon = GeoJSON.Polygon | GeoJSON.MultiPolygon;

/** The present densities: persons per 1,000 m², row by row from the north-west. */
export interface Density {
  at: string | null;
  cells: Uint16Array;
}

export interface Refused {
  code: string;
  value: string;
  rule: string;
  next_step: string;
  message: string;
  zh: InChinese | null;
}

/** The parts of a refusal in Chinese, as the server has them; null where it has no words, or a value is a name. */
export interface InChinese {
  value: string | null;
  rule: string | null;
  next_step: string | null;
}
