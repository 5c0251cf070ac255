import { useState } from "preact/hooks";
import type { DeviceKind, Estimate, Why } from "../shapes.ts";
import { minute, place, selection } from "../desk.ts";
import { named, people, ratio, share, t, word } from "../i18n.ts";
import { DeviceSymbol } from "./Symbol.tsx";
import { useAsked } from "./useAsked.ts";

/** What made the number: asked for only where somebody opens it. */
export function WhyPanel({ of, estimate, ask }: { of: string; estimate: Estimate | null; ask: () => Promise<Why | null> }) {
  const [open, setOpen] = useState(false);
  if (!estimate || estimate.occupancy === null) return null;
  return (
    <details class="why" open={open} onToggle={(toggled) => setOpen(toggled.currentTarget.open)} data-test="why">
      <summary>{t("why.title")}</summary>
      {open && <Reasons of={of} now={estimate.occupancy} ask={ask} />}
    </details>
  );
}

function Reasons({ of, now, ask }: { of: string; now: number; ask: () => Promise<Why | null> }) {
  const { answer, error } = useAsked<Why | null>(of, minute.value, ask);
  if (error) return <p class="empty is-error">{error}</p>;
  if (!answer) return <p class="empty">{t("app.counting")}</p>;
  const kinds = Object.entries(answer.by_kind)
    .map(([kind, part]): [DeviceKind, number] => [kind as DeviceKind, part])
    .filter(([, part]) => part >= 0.005)
    .sort((a, b) => b[1] - a[1]);
  return (
    <div class="why-body">
      <p class="quiet">{t("why.lead")}</p>
      <ul class="why-list">
        {kinds.map(([kind, part]) => (
          <li key={kind}>
            <span class="why-name">
              <DeviceSymbol kind={kind} state="ok" /> <b>{word("kind", kind)}</b>
            </span>
            <span class="why-bar" aria-hidden="true">
              <i style={{ width: `${100 * part}%` }} />
            </span>
            <span class="number">{share(part)}</span>
            <ul class="why-devices">
              {answer.sources
                .filter((one) => one.kind === kind)
                .map((one) => (
                  <li key={one.device}>
                    <button type="button" class="link" onClick={() => (selection.value = { kind: "device", id: one.device })}>
                      {named(one.name, one.device)}
                    </button>
                    <span class="number quiet">{share(one.share)}</span>
                  </li>
                ))}
            </ul>
          </li>
        ))}
      </ul>
      {answer.usual !== null && (
        <p class="why-more">{t("why.usual", { persons: people(answer.usual), times: ratio(now / answer.usual) })}</p>
      )}
      {answer.narrower && answer.narrower.narrowed_by >= 0.01 && <p class="why-more">{narrowed(answer.narrower)}</p>}
    </div>
  );
}

function narrowed(more: NonNullable<Why["narrower"]>): string {
  const there = more.place ? place(more.place) : undefined;
  const where = there ? named(there.name, there.id) : `${more.at[1].toFixed(4)}, ${more.at[0].toFixed(4)}`;
  return t(more.kind === "gate" ? "why.more_gate" : "why.more_area", { where, by: share(more.narrowed_by) });
}
