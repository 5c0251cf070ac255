import type { District } from "../api.ts";
import { layer, showLayer } from "../desk.ts";
import { DENSITY_STEPS, SEEN_STEPS } from "../map/palette.ts";
import { KINDS } from "../map/symbols.ts";
import { t, word } from "../i18n.ts";
import { theme } from "../theme.ts";
import { LevelPicker } from "./Lists.tsx";
import { DeviceSymbol } from "./Symbol.tsx";

/** What the map's colours and shapes mean. */
export function Legend({ district }: { district: District }) {
  const seen = layer.value === "seen";
  const steps = seen ? SEEN_STEPS : DENSITY_STEPS;
  const title = t(seen ? "legend.seen" : "legend.density");
  return (
    <details class="legend" open={innerWidth > 720}>
      <summary>{t("legend.title")}</summary>
      <p class="legend-layers" role="group" aria-label={t("legend.layer")}>
        {(["people", "seen"] as const).map((one) => (
          <button key={one} type="button" class="link" aria-pressed={layer.value === one} onClick={() => void showLayer(one)} data-test={`layer-${one}`}>
            {t(`layer.${one}`)}
          </button>
        ))}
      </p>
      <p class="legend-title">
        {title} <span class="quiet">{t(seen ? "legend.seen_unit" : "legend.unit")}</span>
      </p>
      <ol class="ramp" aria-label={title}>
        {steps.map(({ from, rgb, alpha }, k) => (
          <li key={from}>
            <i style={{ background: `rgb(${rgb.join(" ")} / ${alpha[theme.value]})` }} />
            <span>{k === steps.length - 1 ? `${from}+` : from}</span>
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
        <li>
          <DeviceSymbol kind="area" state="silent" /> {t("state.silent")}
        </li>
        <li>
          <DeviceSymbol kind="area" state="suspect" /> {t("state.suspect")}
        </li>
      </ul>
      <LevelPicker district={district} />
    </details>
  );
}
