/** What triggers of planned events ask for now, told by the live stream. */

import { signal } from "@preact/signals";
import { chime } from "../chime.ts";
import { calmly, following } from "../desk.ts";
import { inOrder } from "../order.ts";
import type { LiveMessage } from "../sse.ts";
import { may } from "../staff.ts";
import { underway, type Firing } from "./api.ts";

export const firings = signal<Firing[]>([]);
/** Grows with each minute and each firing: whoever shows a plan asks again. */
export const beat = signal(0);
/** Grows whenever a rehearsal was kept or dropped. */
export const rehearsed = signal(0);

const read = inOrder(
  () => underway.firings().catch(() => firings.peek()),
  (told) => void (firings.value = told),
);
export const refreshFirings = async (): Promise<void> => (may("cases.read") ? read() : undefined);

const soon = calmly(1_000, refreshFirings);

function heard({ kind, body }: LiveMessage): void {
  if (kind === "open" || kind === "resync") void refreshFirings();
  if (kind === "minute" || kind === "resync") beat.value += 1;
  if (kind === "minute" && firings.peek().length > 0) void soon();
  if (kind !== "change") return;
  const { kind: of, action } = body as { kind: string; action: string };
  if (of === "rehearsal") rehearsed.value += 1;
  if (of === "case" && firings.peek().length > 0) void soon(); // the event may be over
  if (of !== "trigger") return;
  if (action === "fire") chime();
  beat.value += 1;
  void soon();
}
following.add(heard);
