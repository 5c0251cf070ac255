import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { say } from "../desk.ts";
import { momentOf, named, t } from "../i18n.ts";
import { inOrder } from "../order.ts";
import { useOnce } from "../parts/useOnce.ts";
import { Icon } from "../parts/Icon.tsx";
import { hrefOf, listAddress } from "./address.ts";
import { cases, type Case, type Kind, type Line, type Step } from "./api.ts";
import { ClockList, LinkedList, ToldList } from "./CaseSides.tsx";
import { FieldList } from "./FieldList.tsx";
import { HistoryList } from "./HistoryList.tsx";
import { pathOf, pinned, touched } from "./known.ts";
import { PapersPanel } from "./PapersPanel.tsx";
import { Lamp, Refusal, StateTag } from "./parts.tsx";
import { SpotMap } from "./SpotMap.tsx";
import { StepForm, isPlain } from "./StepForm.tsx";
import { labelOf, titleOf } from "./words.ts";
import { CountedPanel } from "../underway/CountedPanel.tsx";
import { LivePanel } from "../underway/LivePanel.tsx";
import { RehearsalPanel } from "../underway/RehearsalPanel.tsx";

interface Whole {
  one: Case;
  kind: Kind;
  history: Line[];
}

/** One case, read again whenever the live stream tells of it. */
export function CasePage({ id }: { id: string }) {
  const [whole, setWhole] = useState<Whole | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const reread = useMemo(
    () =>
      inOrder(
        async () => {
          const [one, history] = await Promise.all([cases.one(id), cases.history(id)]);
          return { one, kind: await pinned(one), history };
        },
        (told) => {
          setWhole(told);
          setFault(null);
        },
      ),
    [id],
  );
  const read = (): Promise<void> => reread().catch(setFault);
  useEffect(() => {
    void read();
  }, [id]);
  const news = touched.value;
  const heard = useRef(news);
  useEffect(() => {
    const mine = news.ids === null || news.ids.has(id) || whole?.one.children.some((part) => news.ids?.has(part.id)) || whole?.one.waits_for.some((part) => news.ids?.has(part.id));
    if (news !== heard.current && mine) void read();
    heard.current = news;
  }, [news]);
  if (!whole || whole.one.id !== id)
    return (
      <div class="case-page">
        <Back />
        {fault ? <Refusal fault={fault} /> : <p class="empty">{t("app.loading")}</p>}
      </div>
    );
  return <Shown {...whole} fault={fault} reread={() => void read()} />;
}

function Back() {
  return (
    <a class="link quiet" href={listAddress.value} data-test="back">
      ← {t("cases.list")}
    </a>
  );
}

function Shown({ one, kind, history, fault, reread }: Whole & { fault: unknown; reread: () => void }) {
  return (
    <article class="case-page" data-test="case" data-changes={one.n_changes}>
      <Back />
      <header class="case-title">
        <p class="quiet">
          {named(kind.label, kind.id)} · <span class="mono">{one.id}</span>
          {kind.confidentiality !== "internal" && <b class="tag">{t(`confidentiality.${kind.confidentiality}`)}</b>}
        </p>
        <h2 tabIndex={-1}>{titleOf(one, kind)}</h2>
        <p class="case-standing">
          <Lamp light={one.light} words />
          <StateTag one={one} />
          <span class="quiet">{t("cases.opened", { time: momentOf(one.opened_at) })}</span>
          <span class="quiet">{t("cases.changed", { time: momentOf(one.changed_at) })}</span>
          {kind.carried.length > 0 && kind.may_open && !one.forgotten && (
            <a class="link" href={hrefOf("new", { type: one.type, like: one.id })} data-test="next-like">
              {t("cases.next_like")}
            </a>
          )}
        </p>
      </header>
      {one.forgotten && <p class="condition">{t("cases.forgotten")}</p>}
      <Refusal fault={fault} />
      <div class="case-columns">
        <div class="case-main">
          <LivePanel one={one} kind={kind} />
          <Steps one={one} kind={kind} history={history} reread={reread} />
          <CountedPanel one={one} kind={kind} />
          <RehearsalPanel one={one} kind={kind} />
          <FieldList one={one} kind={kind} />
          <HistoryList one={one} kind={kind} history={history} />
        </div>
        <div class="case-side">
          <ClockList one={one} />
          <Where one={one} />
          <PapersPanel one={one} kind={kind} />
          <LinkedList one={one} kind={kind} reread={reread} />
          <ToldList one={one} kind={kind} />
        </div>
      </div>
    </article>
  );
}

/** What may be done now. A step that asks for nothing is taken at once; any other opens as a form. */
function Steps({ one, kind, history, reread }: Whole & { reread: () => void }) {
  const [chosen, setChosen] = useState<Step | null>(null);
  const [refused, setRefused] = useState<{ fault: unknown; step: Step } | null>(null);
  const { busy, once } = useOnce();
  const take = async (step: Step): Promise<void> => {
    setRefused(null);
    if (!isPlain(step)) return setChosen(step);
    try {
      await cases.step(one.id, { step: step.id, filled: {}, evidence: {}, note: "", seen: one.n_changes });
      say(t("cases.taken", { step: named(step.label, step.id) }));
    } catch (fault) {
      setRefused({ fault, step });
    }
    reread();
  };
  if (one.steps.length === 0 && !chosen)
    return (
      <section class="panel" data-test="steps">
        <h3>{t("cases.next")}</h3>
        <p class="quiet">{t(one.closed ? "cases.no_steps_closed" : "cases.no_steps")}</p>
        <Others one={one} kind={kind} />
      </section>
    );
  return (
    <section class="panel" data-test="steps">
      <h3>{t("cases.next")}</h3>
      <p class="buttons">
        {one.steps.map((step) => (
          <button type="button" key={step.id} class={`plain solid${chosen?.id === step.id ? " is-chosen" : ""}`} aria-expanded={isPlain(step) ? undefined : chosen?.id === step.id} title={step.because ? named(step.because) : ""} aria-busy={busy} onClick={() => void once(() => take(step))} data-test={`step-${step.id}`}>
            {named(step.label, step.id)}
            {!isPlain(step) && "…"}
          </button>
        ))}
      </p>
      <Others one={one} kind={kind} />
      <Refusal fault={refused?.fault} step={refused?.step} />
      {chosen && (
        <StepForm
          key={chosen.id}
          one={one}
          kind={kind}
          step={chosen}
          history={history}
          done={() => {
            setChosen(null);
            reread();
          }}
          reread={reread}
          close={() => setChosen(null)}
        />
      )}
    </section>
  );
}

/** What others may do from here: without it a case that waits for a second pair of eyes looks stuck. */
function Others({ one, kind }: { one: Case; kind: Kind }) {
  if (one.others.length === 0) return null;
  const done = (id: string): string => (id === "open" ? t("cases.was_opened") : labelOf(kind.steps, id));
  return (
    <details class="fold" open={one.steps.length === 0} data-test="others">
      <summary>{t("cases.others", { n: one.others.length })}</summary>
      <ul>
        {one.others.map((step) => (
          <li key={step.id} data-test={`others-${step.id}`}>
            {named(step.label, step.id)} <span class="quiet">· {step.roles.map((role) => named(role)).join(t("list.or"))}</span>
            {step.apart_from.length > 0 && <span class="block quiet">{t("cases.others_apart", { steps: step.apart_from.map(done).join(t("list.comma")) })}</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Where({ one }: { one: Case }) {
  const path = pathOf(one.area);
  const at = one.lon !== null && one.lat !== null ? ([one.lon, one.lat] as [number, number]) : null;
  return (
    <section class="panel" data-test="where">
      <h3>{t("cases.where")}</h3>
      <p>
        {path.map((area, k) => (
          <span key={area.id}>
            {k > 0 && " › "}
            <a href={hrefOf("list", { area: area.id })}>{named(area.name, area.id)}</a>
          </span>
        ))}
      </p>
      {at && <SpotMap at={at} pick={null} />}
      {at && (
        <a class="link" href={hrefOf("map", { at: at.join(","), case: one.id })} data-test="to-map">
          <Icon name="place" size={15} /> {t("cases.to_map")}
        </a>
      )}
      <h3>{t("cases.owner")}</h3>
      <p data-test="owner">
        {named(pathOf(one.owner_area).at(-1)?.name, one.owner_area)}
        {one.post && <span class="quiet"> · {one.post}</span>}
      </p>
    </section>
  );
}

/** Copy the address of this page, to hand it on. */
export async function copyAddress(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href); // absent where the page comes without TLS from another machine
    say(t("cases.copied"));
  } catch {
    say(location.href);
  }
}
