/** A case that is not opened yet: what is told of it, and where it lies. */

import { useState } from "preact/hooks";
import { spotIn } from "./address.ts";
import type { Filled, Kind, NewCase } from "./api.ts";

export interface Draft {
  type: string;
  at: [number, number] | null;
  area: string;
  filled: Filled;
  evidence: Record<string, string>;
  note: string;
  parent: string;
  /** The case whose plan it begins with. */
  like: string;
}

/** What an address says of a draft: a type, a place as `at=lon,lat` or an area, and of what it is a part. */
export function draftOf(asked: URLSearchParams): Draft {
  return { type: asked.get("type") ?? "", at: spotIn(asked), area: asked.get("area") ?? "", filled: {}, evidence: {}, note: "", parent: asked.get("parent") ?? "", like: asked.get("like") ?? "" };
}

/** What becomes different, or how it follows from what is there by then. */
export type DraftChange = Partial<Draft> | ((was: Draft) => Partial<Draft>);

export function useDraft(asked: URLSearchParams): [Draft, (change: DraftChange) => void] {
  const [draft, setDraft] = useState<Draft>(() => draftOf(asked));
  return [draft, (change) => setDraft((was) => ({ ...was, ...(typeof change === "function" ? change(was) : change) }))];
}

export const isPlaced = (draft: Pick<Draft, "at" | "area">): boolean => draft.at !== null || draft.area !== "";

/** The draft as the server takes it; fields that another type would have are left out. */
export function newCaseOf(draft: Draft, kind: Kind): NewCase {
  const filled = Object.fromEntries(Object.entries(draft.filled).filter(([name]) => kind.opening.includes(name)));
  const place = draft.at ? { lon: draft.at[0], lat: draft.at[1] } : { area: draft.area };
  return { type: kind.id, ...place, filled };
}
