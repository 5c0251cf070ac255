import type { DeviceKind, DeviceState } from "../shapes.ts";
import { word } from "../i18n.ts";
import { symbolParts } from "../map/symbols.ts";

/** The map's symbol of a device, in a list. */
export function DeviceSymbol({ kind, state }: { kind: DeviceKind; state: DeviceState }) {
  const parts = symbolParts(kind, state);
  return (
    <svg class="device-symbol" width="22" height="22" viewBox="0 0 22 22" role="img" aria-label={`${word("kind", kind)}, ${word("state", state)}`}>
      <path d={parts.outline} fill={parts.fill} stroke={parts.stroke} stroke-width="1.8" stroke-dasharray={parts.dashed ? "2.4 2.2" : undefined} />
      {parts.mark ? <path d={parts.mark} fill="none" stroke={parts.ink} stroke-width="2" stroke-linecap="round" /> : <circle cx="11" cy="11" r="2.1" fill={parts.ink} />}
    </svg>
  );
}
