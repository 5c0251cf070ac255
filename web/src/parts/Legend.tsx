import type { District } from "../shapes.ts";
import { changes, layer, showLayer } from "../desk.ts";
import { CHANGE_STEPS, DENSITY_STEPS, REACH_STEPS, SEEN_STEPS } from "../map/palette.ts";
import { incidentShape, INCIDENT_COLOURS } from "../map/reachSymbols.ts";
import { KINDS } from "../map/symbols.ts";
import { t, word } from "../i18n.ts";
import { hasUnits } from "../reach.ts";
import { theme } from "../theme.ts";
import { LevelPicker } from "./Lists.tsx";
import { DeviceSymbol } from "./Symbol.tsx";
import { UnitSymbol } from "./UnitSymbol.tsx";

const LAYERS = ["people", "seen", "reach"] as const;

/** What the map's colours and shapes mean. */
export function Legend({ district }: { district: District }) {
  const shown = layer.value;
  const steps = { people: DENSITY_STEPS, seen: SEEN_STEPS, reach: REACH_STEPS, changed: CHANGE_STEPS }[shown];
  const title = t(`legend.${shown}`);
  const label = (k: number): string => (shown === "changed" ? CHANGE_STEPS[k]!.label : shown === "reach" ? REACH_STEPS[k]!.label : `${steps[k]!.from}${k === steps.length - 1 ? "+" : ""}`);
  return (
    <details class="legend" open={innerWidth > 720}>
      <summary>{t("legend.title")}</summary>
      <p class="legend-layers" role="group" aria-label={t("legend.layer")}>
        {([...LAYERS, ...(changes.value ? (["changed"] as const) : [])] as const).map((one) => (
          <button key={one} type="button" class="link" aria-pressed={layer.value === one} onClick={() => void showLayer(one)} data-test={`layer-${one}`}>
            {t(`layer.${one}`)}
          </button>
        ))}
      </p>
      <p class="legend-title">
        {title} <span class="quiet">{t(`legend_unit.${shown}`)}</span>
      </p>
      <ol class="ramp" aria-label={title}>
        {steps.map(({ from, rgb, alpha }, k) => (
          <li key={from}>
            <i style={{ background: `rgb(${rgb.join(" ")} / ${alpha[theme.value]})` }} />
            <span>{label(k)}</span>
          </li>
        ))}
      </ol>
      <p class="legend-unknown">
        <i class="hatch" aria-hidden="true" /> {t("legend.unknown")}
      </p>
      <ul class="legend-kinds">
        {KINDS.map((kind) => (
          <li key={kind}>
            <DeviceSymbol kind={kind} state="ok" /> {word("kind", kind)}
          </li>
        ))}
        {(["silent", "never", "suspect"] as const).map((state) => (
          <li key={state}>
            <DeviceSymbol kind="area" state={state} /> {word("state", state)}
          </li>
        ))}
        {hasUnits() && (
          <>
            <li>
              <UnitSymbol kind="vehicle" status="available" /> {t("legend.vehicle")}
            </li>
            <li>
              <UnitSymbol kind="foot" status="available" /> {t("legend.foot")}
            </li>
            <li>
              <IncidentSymbol /> {t("legend.incident")}
            </li>
          </>
        )}
      </ul>
      <LevelPicker district={district} />
    </details>
  );
}

/** An incident that waits; the map draws its priority into it. */
function IncidentSymbol() {
  return (
    <svg class="unit-symbol" width="20" height="20" viewBox="0 0 24 24" aria-hidden="true">
      <path d={incidentShape} fill={INCIDENT_COLOURS.waiting} stroke="#ffffff" stroke-width="1.6" />
    </svg>
  );
}
