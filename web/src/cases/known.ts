/** What all pages of cases go by: the types, the tree of areas, and the news of the live stream. */

import { computed, signal } from "@preact/signals";
import { calmly, following, told } from "../desk.ts";
import type { LiveMessage } from "../sse.ts";
import { may } from "../staff.ts";
import { named } from "../i18n.ts";
import { cases, type AreaName, type Brief, type Kind, type References } from "./api.ts";

export const kinds = signal<Kind[]>([]);
export const areaNames = signal<AreaName[]>([]);
export const knownFault = signal("");
/** Which cases have changed, and a number that grows with each news; null where any may have. */
export const touched = signal<{ round: number; ids: ReadonlySet<string> | null }>({ round: 0, ids: new Set() });

/** Grows with the news, but calmly: lists and counts are dear to ask where a district has a hundred thousand cases. */
export const rounds = signal(0);

const byId = computed(() => new Map(areaNames.value.map((one) => [one.id, one])));
const below = computed(() => {
  const found = new Map<string, AreaName[]>();
  for (const one of areaNames.value) if (one.parent !== null) found.set(one.parent, [...(found.get(one.parent) ?? []), one]);
  return found;
});

export const kindOf = (type: string): Kind | undefined => kinds.value.find((one) => one.id === type);
export const areaOf = (id: string): AreaName | undefined => byId.value.get(id);
export const rootArea = (): AreaName | undefined => areaNames.value.find((one) => one.parent === null);
export const childrenOf = (id: string): AreaName[] => below.value.get(id) ?? [];

/** The areas that hold one, top first, itself last. */
export function pathOf(id: string): AreaName[] {
  const found: AreaName[] = [];
  for (let one = areaOf(id); one; one = one.parent === null ? undefined : areaOf(one.parent)) found.unshift(one);
  return found;
}

/** Whether an area is named that is too large for a type: its cases lie further down. */
export function isCoarse(draft: { at: unknown; area: string }, kind: Kind | undefined): boolean {
  const path = draft.at === null && draft.area !== "" ? pathOf(draft.area) : [];
  return kind !== undefined && path.length > 0 && !path.some((one) => one.level === kind.entry_level);
}

/** What texts may refer to: asked for when the first of them is shown, and again where one is not known. */
export const references = signal<References>({ ground: [], device: [] });
let referencesBegun = false;

export async function learnReferences(again = false): Promise<void> {
  if (referencesBegun && !again) return;
  referencesBegun = true;
  await cases.references().then(
    (found) => void (references.value = found),
    () => (referencesBegun = false),
  );
}

/** The name of what a text refers to, or its id while that is not known. */
export function referenceName(refers: keyof References, id: string): string {
  void learnReferences();
  return named(references.value[refers].find((one) => one.id === id)?.name, id);
}

const older = new Map<string, Promise<Kind>>();

/** The type of a case in the version that it is pinned to. */
export async function pinned(one: Brief): Promise<Kind> {
  const known = kindOf(one.type);
  if (known?.version === one.version) return known;
  const key = `${one.type}/${one.version}`;
  const asked = older.get(key) ?? cases.kind(one.type, one.version);
  older.set(key, asked);
  asked.catch(() => older.delete(key));
  return asked;
}

let begun: Promise<void> | null = null;
let areasBegun: Promise<void> | null = null;

/** Read the tree of areas once: that is all that pages beside those of cases go by. */
export function learnAreas(): Promise<void> {
  areasBegun ??= cases.areas().then(
    (tree) => void (areaNames.value = tree),
    (fault: unknown) => {
      areasBegun = null;
      throw fault;
    },
  );
  return areasBegun;
}

/** Read the types and areas once. */
export function learn(): Promise<void> {
  begun ??= Promise.all([cases.kinds(), learnAreas()]).then(
    ([types]) => {
      kinds.value = types;
      knownFault.value = "";
    },
    (fault: unknown) => {
      knownFault.value = told(fault);
      begun = null;
    },
  );
  return begun;
}

let waiting: Set<string> | null = new Set();
const tellSoon = calmly(800, async () => {
  const ids = waiting;
  waiting = new Set();
  touched.value = { round: touched.value.round + 1, ids };
});

const roundSoon = calmly(1_500, async () => void (rounds.value += 1));

function heard({ kind, body }: LiveMessage): void {
  if (!may("cases.read")) return;
  if (kind === "resync") waiting = null;
  else if (kind === "change" && (body as { kind: string }).kind === "case") waiting?.add((body as { record: string }).record);
  else return;
  void tellSoon();
  void roundSoon();
}
following.add(heard);
