/** Small things that several pages of cases show. */

import { ApiError } from "../api.ts";
import { told } from "../desk.ts";
import { named, t, word } from "../i18n.ts";
import { refusalText } from "../refusals.ts";
import type { Brief, Light, Step } from "./api.ts";
import { hrefOf } from "./address.ts";
import { childrenOf, pathOf, rootArea } from "./known.ts";
import { aboutOf, leftText, placeText, titleOf } from "./words.ts";

export const LIGHTS: readonly Light[] = ["red", "yellow", "green", "none"];

const SHAPES: Record<Light, string> = {
  red: "M8 1.500 15 14H1zM8 6v4M8 11.500v1",
  yellow: "M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM8 4.500V8l2.500 1.500",
  green: "M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM5 8l2.200 2.200L11.200 6",
  none: "M3 8h10",
};

/** A light: by shape, by colour, and in words for whoever sees neither. */
export function Lamp({ light, words = false }: { light: Light; words?: boolean }) {
  return (
    <span class={`lamp lamp-${light}`} title={word("light", light)}>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[light]} />
      </svg>
      <span class={words ? "" : "sr-only"}>{word("light", light)}</span>
    </span>
  );
}

export function StateTag({ one }: { one: Pick<Brief, "closed" | "state_label" | "state"> }) {
  return <span class={`state-tag${one.closed ? " is-closed" : ""}`}>{named(one.state_label, one.state)}</span>;
}

/** One case in a list: a link, so that it opens, is copied and is opened beside like any other. */
export function CaseLink({ one, chosen = false }: { one: Brief; chosen?: boolean }) {
  return (
    <a class="case-row" href={hrefOf("case", {}, one.id)} aria-current={chosen || undefined} data-test="case-row" data-case={one.id}>
      <Lamp light={one.light} />
      <span class="case-what">
        <strong>{titleOf(one)}</strong>
        <span class="quiet">{aboutOf(one)}</span>
      </span>
      <span class="case-state">
        <StateTag one={one} />
      </span>
      <span class="case-where quiet">{placeText(one.area)}</span>
      <span class="case-owner quiet">{one.post || placeText(one.owner_area, 1)}</span>
      <span class={`case-due is-${one.light}`}>{leftText(one.due_at)}</span>
    </a>
  );
}

/** Why something was refused, in the three parts that the server tells: what was given, the rule, and what to do now. */
export function Refusal({ fault, step }: { fault: unknown; step?: Step | null }) {
  if (!fault) return null;
  if (!(fault instanceof ApiError) || fault.rule === "")
    return (
      <p class="refusal" role="alert" data-test="refusal">
        {told(fault)}
      </p>
    );
  const parts = refusalText(fault);
  const value = step && fault.value === step.id ? named(step.label, step.id) : parts.value;
  return (
    <div role="alert" data-test="refusal">
      <dl class="refusal">
        <dt>{t("refusal_part.value")}</dt>
        <dd>{value}</dd>
        <dt>{t("refusal_part.rule")}</dt>
        <dd>{parts.rule}</dd>
        <dt>{t("refusal_part.next")}</dt>
        <dd>{parts.next}</dd>
      </dl>
    </div>
  );
}

/** The tree of areas, level by level: ten thousand micro-grids are too many for one list. */
export function AreaPicker({ value, pick, label, test }: { value: string; pick: (area: string) => void; label: string; test: string }) {
  const root = rootArea();
  if (!root) return null;
  const path = value ? pathOf(value) : [];
  const chain = path.length > 0 ? path : [root];
  return (
    <fieldset class="areas">
      <legend>{label}</legend>
      {chain.map((one, k) => {
        const options = childrenOf(one.id);
        const chosen = chain[k + 1]?.id ?? "";
        if (options.length === 0) return null;
        return (
          <select key={one.id} value={chosen} aria-label={`${label}: ${t("cases.below", { area: named(one.name, one.id) })}`} onChange={(change) => pick(change.currentTarget.value || (k === 0 ? "" : one.id))} data-test={`${test}-${k}`}>
            <option value="">{k === 0 ? t("cases.whole_district") : t("cases.all_of", { area: named(one.name, one.id) })}</option>
            {options.map((each) => (
              <option key={each.id} value={each.id}>
                {named(each.name, each.id)}
              </option>
            ))}
          </select>
        );
      })}
    </fieldset>
  );
}
