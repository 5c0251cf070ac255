/** What all pages of the community go by: the lists of the district, and the news of the live stream. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { learnAreas } from "../cases/known.ts";
import { calmly, following, told } from "../desk.ts";
import { named } from "../i18n.ts";
import type { LiveMessage } from "../sse.ts";
import { may } from "../staff.ts";
import { community, type Board } from "./api.ts";

export const board = signal<Board | null>(null);
export const boardFault = signal("");
/** Grows with what is planned, called and ended, and with the beat of a page that shows answers coming in. */
export const news = signal(0);

const TOLD = new Set(["shift", "call_out", "invitation"]);

export async function learnBoard(): Promise<void> {
  try {
    const [made] = await Promise.all([community.board(), learnAreas()]);
    board.value = made;
    boardFault.value = "";
  } catch (fault) {
    boardFault.value = told(fault);
  }
}

const soon = calmly(500, async () => void (news.value += 1));

function heard({ kind, body }: LiveMessage): void {
  if (!may("volunteers.read")) return;
  if (kind === "resync" || (kind === "change" && TOLD.has((body as { kind: string }).kind))) void soon();
}
following.add(heard);

/** Ask again every so often: what a volunteer answers is no line of the log, so the stream does not tell of it. */
export function useBeat(ms: number): void {
  useEffect(() => {
    const beat = setInterval(() => document.hidden || void soon(), ms);
    return () => clearInterval(beat);
  }, [ms]);
}

const listed = (keys: string[], of: Record<string, unknown> | undefined): string[] => keys.map((key) => named((of?.[key] ?? key) as string, key));
export const skillsText = (keys: string[]): string[] => listed(keys, board.value?.skills);
export const languagesText = (keys: string[]): string[] => listed(keys, board.value?.languages);
export const allianceText = (id: string | null): string => (id === null ? "" : named(board.value?.alliances.find((one) => one.id === id)?.name, id));
export const tradeText = (id: string | null): string => (id === null ? "" : named(board.value?.trades[id], id));
