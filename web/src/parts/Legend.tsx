import type { District } from "../api.ts";
import { DENSITY_STEPS } from "../map/palette.ts";
import { KINDS } from "../map/symbols.ts";
import { t, word } from "../i18n.ts";
import { theme } from "../theme.ts";
import { LevelPicker } from "./Lists.tsx";
import { DeviceSymbol } from "./Symbol.tsx";

/** What the map's colours and shapes mean. */
export function Legend({ district }: { district: District }) {
  return (
    <details class="legend" open={innerWidth > 720}>
      <summary>{t("legend.title")}</summary>
      <p class="legend-title">
        {t("legend.density")} <span class="quiet">{t("legend.unit")}</span>
      </p>
      <ol class="ramp" aria-label={t("legend.density")}>
        {DENSITY_STEPS.map(({ from, rgb, alpha }, k) => (
          <li key={from}>
            <i style={{ background: `rgb(${rgb.join(" ")} / ${alpha[theme.value]})` }} />
            <span>{k === DENSITY_STEPS.length - 1 ? `${from}+` : from}</span>
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
