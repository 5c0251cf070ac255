import type { Unit } from "../shapes.ts";
import { STATUS_COLOURS, UNIT_MARKS, unitShape } from "../map/reachSymbols.ts";

/** A unit's symbol: its shape is the kind, its colour and mark the status. */
export function UnitSymbol({ kind, status }: { kind: string; status: Unit["status"] }) {
  return (
    <svg class="unit-symbol" width="20" height="20" viewBox="0 0 24 24" aria-hidden="true">
      <path d={unitShape(kind)} fill={STATUS_COLOURS[status]} stroke="#ffffff" stroke-width="1.6" />
      <path d={UNIT_MARKS[status]} fill="none" stroke="#ffffff" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
