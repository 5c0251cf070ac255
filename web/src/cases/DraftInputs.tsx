import { useState } from "preact/hooks";
import { named, t } from "../i18n.ts";
import type { Kind } from "./api.ts";
import type { Draft } from "./draft.ts";
import { FieldInput } from "./FieldInput.tsx";
import { isCoarse, kinds } from "./known.ts";
import { AreaPicker } from "./parts.tsx";
import { SpotMap } from "./SpotMap.tsx";
import { withValue } from "./StepForm.tsx";
import { levelText } from "./words.ts";

interface Bound {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
}

export function TypeInput({ draft, change, openable }: Bound & { openable: boolean }) {
  const offered = kinds.value.filter((one) => !openable || one.may_open);
  const kind = offered.find((one) => one.id === draft.type);
  return (
    <label class="block field">
      <span>
        {t("cases.type")}
        <i class="needed" aria-hidden="true" />
      </span>
      <select value={draft.type} required onChange={(picked) => change({ type: picked.currentTarget.value })} data-test="new-type">
        <option value="">{t("cases.choose")}</option>
        {offered.map((one) => (
          <option key={one.id} value={one.id}>
            {named(one.label, one.id)}
          </option>
        ))}
      </select>
      {kind && <span class="quiet hint">{named(kind.purpose)}</span>}
    </label>
  );
}

interface Placed {
  draft: Pick<Draft, "at" | "area">;
  change: (change: Partial<Draft>) => void;
  /** Whether naming an area will do. */
  areas?: boolean;
  /** The type that is opened there: some want a small area. */
  kind?: Kind | undefined;
}

/** Where it is: a click on the map, its degrees, or an area. */
export function PlaceInput({ draft, change, areas = true, kind }: Placed) {
  const [half, setHalf] = useState<[string, string]>(["", ""]); // while only one of the two is written
  const [lon, lat] = draft.at ? draft.at.map(String) : half;
  const set = (k: 0 | 1, text: string): void => {
    const told: [string, string] = [lon!, lat!];
    told[k] = text;
    setHalf(told);
    change(told.includes("") ? { at: null } : { at: [Number(told[0]), Number(told[1])], area: "" });
  };
  return (
    <fieldset class="place-input" data-test="place-input">
      <legend>
        {t("cases.where")}
        <i class="needed" aria-hidden="true" />
      </legend>
      <p class="quiet">{t(draft.at ? "cases.place_move" : areas ? "cases.place_pick" : "cases.spot_pick")}</p>
      <SpotMap at={draft.at} pick={(at) => change({ at, area: "" })} />
      <div class="degrees">
        <label>
          <span>{t("cases.lon")}</span>
          <input type="number" step="any" min={-180} max={180} value={lon} onChange={(typed) => set(0, typed.currentTarget.value)} data-test="lon" />
        </label>
        <label>
          <span>{t("cases.lat")}</span>
          <input type="number" step="any" min={-90} max={90} value={lat} onChange={(typed) => set(1, typed.currentTarget.value)} data-test="lat" />
        </label>
      </div>
      {areas && <AreaPicker value={draft.area} pick={(area) => change({ area, at: null })} label={t("cases.or_area")} test="new-area" />}
      {kind && isCoarse(draft, kind) && (
        <p class="coarse" role="status" data-test="coarse">
          {t("cases.place_coarse", { level: levelText(kind.entry_level) })}
        </p>
      )}
    </fieldset>
  );
}

/** The fields that an opening may tell: those that it must first, the others folded. */
export function OpeningFields({ draft, change, kind }: Bound & { kind: Kind }) {
  const may = kind.fields.filter((field) => kind.opening.includes(field.id));
  const input = (field: (typeof may)[number]) => <FieldInput key={`${kind.id}.${field.id}`} field={field} value={draft.filled[field.id]} others={draft.filled} needed={field.required && !field.counted} set={(value) => change({ filled: withValue(draft.filled, field.id, value) })} />;
  const must = may.filter((field) => field.required);
  const rest = may.filter((field) => !field.required);
  return (
    <>
      {must.map(input)}
      {rest.length > 0 && (
        <details class="fold more-fields">
          <summary>{t("cases.more_fields", { n: rest.length })}</summary>
          {rest.map(input)}
        </details>
      )}
    </>
  );
}
