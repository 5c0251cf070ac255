import { useRef, useState } from "preact/hooks";
import { address, hrefOf } from "../cases/address.ts";
import { Refusal } from "../cases/parts.tsx";
import { SpotMap } from "../cases/SpotMap.tsx";
import { leftText, placeText } from "../cases/words.ts";
import { say } from "../desk.ts";
import { integer, momentOf, t, timeOf, word } from "../i18n.ts";
import { Icon } from "../parts/Icon.tsx";
import { useRowKeys } from "../parts/Keys.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { useOnce } from "../parts/useOnce.ts";
import { may } from "../staff.ts";
import { kept } from "./asked.ts";
import { community, type Board, type CallOut, type CallOutWhole } from "./api.ts";
import { allianceText, news, skillsText, useBeat } from "./known.ts";
import { NewCallOutForm } from "./NewCallOutForm.tsx";
import { Filled } from "./parts.tsx";

const PAST_DAYS = 7;
const BEAT_MS = 2_000;
const RESTING_MS = 15_000;
const INCIDENT = "incident:";

const isLive = (one: CallOut): boolean => one.state === "open" || one.state === "met";

/** Call-outs: answers as they come in, how far the circle has grown, and the end. */
export function CallOutsPage({ id, board }: { id: string; board: Board }) {
  const asked = address.value.ask;
  const listed = useAsked<CallOut[]>("call-outs", news.value, () => community.callOuts(PAST_DAYS));
  useBeat(listed.answer?.some(isLive) ? BEAT_MS : RESTING_MS);
  const box = useRef<HTMLUListElement>(null);
  useRowKeys(box, ".call-row");
  const calling = asked.has("new") && may("volunteers.act");
  return (
    <div class="two-page">
      <section class="two-list" aria-label={t("community.call_outs")}>
        <div class="two-head">
          <p class="quiet">{t("community.call_note", { n: PAST_DAYS })}</p>
          {may("volunteers.act") && (
            <a class="primary" href={hrefOf("callouts", { new: "1" })} data-test="new-call">
              <Icon name="plus" size={16} /> {t("community.call")}
            </a>
          )}
        </div>
        {listed.error && <p class="refusal">{listed.error}</p>}
        {!listed.answer && !listed.error && <p class="empty">{t("app.loading")}</p>}
        {listed.answer?.length === 0 && <p class="empty">{t("community.no_call")}</p>}
        <ul ref={box} data-test="call-outs">
          {listed.answer?.map((one) => (
            <li key={one.id}>
              <a class="call-row case-row" href={hrefOf("callouts", {}, one.id)} aria-current={one.id === id || undefined} data-test="call-row" data-call={one.id}>
                <span class="case-what">
                  <strong>{one.words || t("community.words_gone")}</strong>
                  <span class="quiet">
                    {momentOf(one.begun_at)} · {placeText(one.area)}
                    {one.matter.startsWith(INCIDENT) && ` · ${t("community.first_helpers")}`}
                  </span>
                </span>
                <span class="shift-standing">
                  <Filled n={one.yes} of={one.quota} />
                  <span class={`state-tag${isLive(one) ? "" : " is-closed"}`}>{word("call_state", one.state)}</span>
                </span>
              </a>
            </li>
          ))}
        </ul>
      </section>
      <section class="two-side">
        {calling ? <NewCallOutForm key={asked.toString()} board={board} /> : id ? <CallPanel key={id} id={id} /> : <p class="empty wide-only">{t("community.choose_call")}</p>}
      </section>
    </div>
  );
}

function CallPanel({ id }: { id: string }) {
  const told = useAsked<CallOutWhole>(id, news.value, () => community.callOut(id));
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const one = told.answer;
  if (!one) return <p class={told.error ? "refusal" : "empty"}>{told.error || t("app.loading")}</p>;
  const stop = async (): Promise<void> => {
    setFault(null);
    await community.stop(one.id).then(() => say(t("community.is_stopped")), setFault);
    news.value += 1;
  };
  const silent = one.asked - one.yes - one.no;
  return (
    <article class="panel" data-test="call-out" data-call={one.id}>
      <header>
        <a class="link quiet" href={hrefOf("callouts", kept(address.value.ask))} data-test="back">
          ← {t("community.call_outs")}
        </a>
        <h2>{one.words || t("community.words_gone")}</h2>
        <p class="case-standing">
          <span class={`state-tag${isLive(one) ? "" : " is-closed"}`} data-test="call-state">
            {word("call_state", one.state)}
          </span>
          <span class="quiet">{t("community.begun", { time: momentOf(one.begun_at) })}</span>
          {isLive(one) && <span class="quiet">{t("community.ends_at", { time: timeOf(one.ends_at), left: leftText(one.ends_at) })}</span>}
        </p>
      </header>
      <dl class="answers" aria-live="polite">
        {(
          [
            ["yes", one.yes],
            ["no", one.no],
            ["silent", silent],
            ["asked", one.asked],
          ] as const
        ).map(([name, n]) => (
          <div key={name} class={`answer-${name}`}>
            <dt>{t(`community.answer_${name}`)}</dt>
            <dd data-test={`answer-${name}`}>{integer(n)}</dd>
          </div>
        ))}
      </dl>
      <Filled n={one.yes} of={one.quota} />
      <p class="quiet">
        {[t("community.circle", { m: integer(one.circle_m) }), t("community.could_ask", { n: integer(one.left) }), skillsText(one.skills).join(t("list.comma")), one.alliance ? t("community.only_for", { alliance: allianceText(one.alliance) }) : ""].filter(Boolean).join(" · ")}
      </p>
      {one.state === "open" && one.left === 0 && <p class="condition">{t("community.nobody_left")}</p>}
      <section aria-label={t("community.coming")}>
        <h3>{t("community.coming")}</h3>
        {one.coming.length === 0 ? <p class="quiet">{t("cases.none_yet")}</p> : <ul class="names" data-test="coming">{one.coming.map((name, k) => <li key={k}>{name}</li>)}</ul>}
        <p class="quiet">{t("community.no_is_nobodys")}</p>
      </section>
      {one.matter.startsWith(INCIDENT) && <p class="quiet">{t("community.of_incident", { id: one.matter.slice(INCIDENT.length) })}</p>}
      {isLive(one) && may("volunteers.act") && (
        <p class="buttons">
          <button type="button" class="plain danger" aria-busy={busy} onClick={() => void once(stop)} data-test="stop-call">
            {t("community.stop")}
          </button>
        </p>
      )}
      <Refusal fault={fault} />
      <SpotMap key={one.id} at={one.at} pick={null} />
      <a class="link" href={hrefOf("map", { at: one.at.join(",") })}>
        <Icon name="place" size={15} /> {t("cases.to_map")}
      </a>
    </article>
  );
}
