import { useEffect, useState } from "preact/hooks";
import { integer, t } from "../i18n.ts";
import { say } from "../desk.ts";
import { useAsked } from "../parts/useAsked.ts";
import { useOnce } from "../parts/useOnce.ts";
import { address, go, hrefOf } from "./address.ts";
import { cases, type Brief, type Kind } from "./api.ts";
import { isPlaced, newCaseOf, useDraft, type Draft } from "./draft.ts";
import { OpeningFields, PlaceInput, TypeInput } from "./DraftInputs.tsx";
import { EvidenceInput } from "./EvidenceInput.tsx";
import { isCoarse, kindOf } from "./known.ts";
import { CaseLink, Refusal } from "./parts.tsx";
import { RouteView } from "./RouteView.tsx";
import { Unsent } from "./unsent.ts";

const NEAR_M = 50;

/** A new case. Where it would go, and what is open around it, is told before it is opened. */
export function NewCasePage() {
  const [draft, change] = useDraft(address.value.ask);
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const [unsent, setUnsent] = useState(() => new Unsent());
  const kind = kindOf(draft.type);
  useEffect(() => {
    if (!kind || !draft.like) return;
    // What it hands on is shown before it is opened, to be changed; the server would fill in the same.
    const begin = async (): Promise<void> => {
      const last = await cases.one(draft.like);
      const told = Object.entries(kind.handed_on).map(([name, source]) => [name, last.fields[source]] as const);
      const carried = Object.fromEntries(told.filter(([, value]) => value !== undefined));
      const place: Partial<Draft> = last.lon !== null && last.lat !== null ? { at: [last.lon, last.lat] } : { area: last.area };
      change((was) => ({ filled: { ...carried, ...was.filled }, ...(isPlaced(was) ? {} : place) }));
    };
    void begin().catch(setFault);
  }, [kind?.id, draft.like]);
  const send = async (): Promise<void> => {
    if (!kind) return;
    setFault(null);
    try {
      const evidence = await unsent.rest(draft.evidence);
      change({ evidence });
      const made = await cases.open({ ...newCaseOf(draft, kind), evidence, note: draft.note, ...(draft.parent ? { parent: draft.parent } : {}), ...(draft.like ? { like: draft.like } : {}) });
      say(t("cases.was_opened"));
      go(hrefOf("case", {}, made.id));
    } catch (refused) {
      setFault(refused);
    }
  };
  const placed = isPlaced(draft) && !isCoarse(draft, kind);
  return (
    <form
      class="case-columns draft"
      data-test="new-form"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(send);
      }}
    >
      <div class="case-main panel">
        <h2>{t("cases.new")}</h2>
        {draft.parent && (
          <p class="quiet">
            {t("cases.part_of")} <a href={hrefOf("case", {}, draft.parent)}>{draft.parent}</a>
          </p>
        )}
        {draft.like && (
          <p class="quiet" data-test="like">
            {t("cases.like")} <a href={hrefOf("case", {}, draft.like)}>{draft.like}</a>
          </p>
        )}
        <TypeInput draft={draft} change={(told) => (change({ ...told, filled: {}, evidence: {}, like: "" }), setUnsent(new Unsent()))} openable />
        {kind && <OpeningFields draft={draft} change={change} kind={kind} />}
        {kind && Object.keys(kind.evidence).length > 0 && (
          <details class="fold more-fields" key={kind.id}>
            <summary>{t("cases.with_files", { n: Object.keys(draft.evidence).length })}</summary>
            <EvidenceInput kind={kind} wanted={Object.keys(kind.evidence)} needed={false} digests={draft.evidence} set={(made) => change((was) => ({ evidence: made(was.evidence) }))} unsent={unsent} />
          </details>
        )}
        {kind && (
          <label class="block field">
            <span>{t("cases.note")}</span>
            <textarea rows={2} maxLength={4000} value={draft.note} onInput={(typed) => change({ note: typed.currentTarget.value })} />
          </label>
        )}
      </div>
      <div class="case-side">
        <PlaceInput draft={draft} change={change} kind={kind} />
        <RouteView draft={draft} kind={kind} whole={false} />
        {kind && draft.at && <Near draft={draft} kind={kind} />}
      </div>
      <div class="draft-foot">
        <Refusal fault={fault} />
        <p class="buttons">
          <button type="submit" class="primary" disabled={!kind || !placed} aria-busy={busy} data-test="open-case">
            {t("cases.open")}
          </button>
          {!placed && <span class="quiet">{t("cases.place_first")}</span>}
        </p>
      </div>
    </form>
  );
}

/** What is open around the spot: perhaps it was told already. Of places only, never of who told it. */
function Near({ draft, kind }: { draft: Draft; kind: Kind }) {
  const near = draft.at!.join(",");
  const filter = new URLSearchParams({ type: kind.id, closed: "false", near, within_m: String(NEAR_M), limit: "5" });
  const told = useAsked<Brief[]>(filter.toString(), 0, async () => (await cases.list(filter)).cases);
  if (!told.answer || told.answer.length === 0) return null;
  return (
    <section class="panel near" data-test="near">
      <h3>{t("cases.near", { n: integer(told.answer.length), m: NEAR_M })}</h3>
      <ul class="case-rows is-narrow">
        {told.answer.map((one) => (
          <li key={one.id}>
            <CaseLink one={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The route tester: the same questions without opening anything. */
export function RoutePage() {
  const [draft, change] = useDraft(address.value.ask);
  const kind = kindOf(draft.type);
  return (
    <div class="case-columns draft" data-test="route-page">
      <div class="case-main panel">
        <h2>{t("route.tester")}</h2>
        <p class="quiet">{t("route.note")}</p>
        <TypeInput draft={draft} change={(told) => change({ ...told, filled: {} })} openable={false} />
        {kind && <OpeningFields draft={draft} change={change} kind={kind} />}
      </div>
      <div class="case-side">
        <RouteView draft={draft} kind={kind} whole />
        <PlaceInput draft={draft} change={change} kind={kind} />
      </div>
    </div>
  );
}
