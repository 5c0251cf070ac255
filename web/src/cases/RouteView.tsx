import { useRef } from "preact/hooks";
import { named, t } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { hrefOf } from "./address.ts";
import { cases, type Kind, type Route, type Rule } from "./api.ts";
import { isPlaced, newCaseOf, type Draft } from "./draft.ts";
import { isCoarse } from "./known.ts";
import { missedText } from "./missed.ts";
import { areaText, levelText } from "./words.ts";

/** Where a draft would go and why, asked whenever it changes. */
export function RouteView({ draft, kind, whole }: { draft: Draft; kind: Kind | undefined; whole: boolean }) {
  const ready = kind !== undefined && isPlaced(draft) && !isCoarse(draft, kind);
  const asked = ready ? newCaseOf(draft, kind) : null;
  const told = useAsked<Route | null>(JSON.stringify(asked), 0, async () => {
    if (!asked) return null;
    await new Promise((done) => setTimeout(done, 250)); // while somebody types, nothing is asked
    return cases.route(asked);
  });
  const last = useRef<Route | null>(null);
  if (told.answer) last.current = told.answer;
  return (
    <section class={`panel route${told.answer ? "" : " is-asking"}`} aria-live="polite" data-test="route">
      <h3>{t("route.title")}</h3>
      {!ready && <p class="quiet">{t("route.first")}</p>}
      {told.error && <p class="refusal">{told.error}</p>}
      {ready && !told.error && last.current && <Way route={last.current} whole={whole} />}
    </section>
  );
}

function Way({ route, whole }: { route: Route; whole: boolean }) {
  return (
    <>
      <p class="route-owner">
        <strong data-test="route-owner">{areaText(route.owner_area)}</strong>
        <span class="quiet"> · {levelText(route.owner_level)}</span>
        {route.post && <span> · {route.post}</span>}
      </p>
      <p>{route.rules.some((rule) => rule.missed === "") ? named(route.because) : t("route.usual", { level: levelText(route.owner_level) })}</p>
      <p class="quiet">{Object.values(route.areas).map(areaText).join(" › ")}</p>
      {route.rules.length > 0 && (
        <details class="fold" open={whole}>
          <summary>{t("route.rules", { n: route.rules.length })}</summary>
          <ol class="rules">
            {route.rules.map((rule) => (
              <RuleRow key={rule.id} rule={rule} />
            ))}
          </ol>
        </details>
      )}
    </>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  return (
    <li class={rule.missed ? "is-missed" : "is-fit"} data-test="rule">
      <strong>{named(rule.because, rule.id)}</strong> <span class="mono quiet">{rule.id}</span>
      <span class="block">{rule.missed ? t("route.missed", { why: missedText(rule.missed) }) : t("route.fits")}</span>
      <span class="block quiet">
        {[rule.level ? t("route.to", { owner: levelText(rule.level) }) : "", rule.post, rule.areas.map(areaText).join(t("list.comma")), rule.when ?? ""].filter(Boolean).join(" · ")}
      </span>
      {rule.ruled_in && <a href={hrefOf("case", {}, rule.ruled_in)}>{t("route.ruled_in")}</a>}
    </li>
  );
}
