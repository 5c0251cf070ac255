import { useState } from "preact/hooks";
import { address, go, hrefOf } from "../cases/address.ts";
import { Refusal } from "../cases/parts.tsx";
import { SpotMap } from "../cases/SpotMap.tsx";
import { dayText, placeText } from "../cases/words.ts";
import { dayOf } from "../cases/zone.ts";
import { now, say } from "../desk.ts";
import { integer, named, t, timeOf } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { useOnce } from "../parts/useOnce.ts";
import { may } from "../staff.ts";
import { kept } from "./asked.ts";
import { community, shiftCodeHref, type ShiftWhole } from "./api.ts";
import { allianceText, news, skillsText } from "./known.ts";
import { CodeCard, Filled } from "./parts.tsx";

/** One shift: who is in it, what is offered, its codes, and its end. */
export function ShiftPanel({ id }: { id: string }) {
  const told = useAsked<ShiftWhole>(id, news.value, () => community.shift(id));
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const one = told.answer;
  if (!one) return <p class={told.error ? "refusal" : "empty"}>{told.error || t("app.loading")}</p>;
  const act = (work: () => Promise<unknown>, done: string): void =>
    void once(async () => {
      setFault(null);
      await work().then(() => say(done), setFault);
      news.value += 1;
    });
  const over = now.value !== null && Date.parse(one.end_at) < now.value;
  return (
    <article class="panel" data-test="shift" data-shift={one.id}>
      <header>
        <a class="link quiet" href={hrefOf("shifts", kept(address.value.ask))} data-test="back">
          ← {t("community.shifts")}
        </a>
        <h2>{named(one.name, one.id)}</h2>
        <p class="quiet">
          {dayText(dayOf(one.begin_at))} {timeOf(one.begin_at)}–{timeOf(one.end_at)} · {placeText(one.area)}
          {one.alliance && ` · ${t("community.only_for", { alliance: allianceText(one.alliance) })}`}
        </p>
        {one.state !== "planned" && <b class="tag">{t(`community.${one.state}`)}</b>}
      </header>
      <People one={one} over={over} />
      <Swaps one={one} />
      {one.state === "planned" && may("volunteers.act") && (
        <p class="buttons">
          {over ? (
            <button type="button" class="primary" aria-busy={busy} onClick={() => act(() => community.complete(one.id), t("community.is_completed"))} data-test="complete-shift">
              {t("community.complete")}
            </button>
          ) : (
            <button type="button" class="plain danger" aria-busy={busy} onClick={() => confirm(t("community.cancel_ask", { name: named(one.name, one.id) })) && act(() => community.cancel(one.id), t("community.is_cancelled"))} data-test="cancel-shift">
              {t("community.cancel")}
            </button>
          )}
          {!over && (
            <button type="button" class="plain" onClick={() => go(hrefOf("volunteers", { new: "1", area_of: one.area }))}>
              {t("community.invite_more")}
            </button>
          )}
        </p>
      )}
      <Refusal fault={fault} />
      {one.state === "planned" && !over && (
        <div class="code-cards">
          <CodeCard title={t("community.code_sign_up")} link={one.sign_up} src={shiftCodeHref(one.id, "sign_up")} name="sign_up" />
          <CodeCard title={t("community.code_here", { code: one.code })} link={one.here} src={shiftCodeHref(one.id, "here")} name="here" />
        </div>
      )}
      <SpotMap key={one.id} at={one.at} pick={null} />
    </article>
  );
}

function People({ one, over }: { one: ShiftWhole; over: boolean }) {
  const needs = Object.entries(one.needs).map(([skill, n]) => t("community.need", { skill: skillsText([skill])[0] ?? skill, n: integer(n) }));
  return (
    <section aria-label={t("community.signed_up")}>
      <h3>{t("community.signed_up")}</h3>
      <Filled n={one.seated} of={one.places} />
      {needs.length > 0 && <p class="quiet">{t("community.kept_for", { needs: needs.join(t("list.comma")) })}</p>}
      {one.people.length === 0 && <p class="quiet">{t(over && one.state !== "planned" ? "community.no_names" : "community.nobody_yet")}</p>}
      <ol class="people-list">
        {one.people.map((each, k) => (
          <li key={`${k} ${each.name}`} class={each.seated ? "" : "is-waiting"} data-test="in-shift">
            <strong>{each.name}</strong>
            <span class="quiet">{skillsText(each.skills).join(t("list.comma"))}</span>
            <span>{presence(each, over)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function presence(each: ShiftWhole["people"][number], over: boolean): string {
  if (!each.seated) return t("community.waits");
  if (each.in_at && each.out_at) return t("community.was_there", { from: timeOf(each.in_at), until: timeOf(each.out_at) });
  if (each.in_at) return t(over ? "community.not_out" : "community.is_there", { from: timeOf(each.in_at) });
  return t(over ? "community.not_in" : "community.has_place");
}

function Swaps({ one }: { one: ShiftWhole }) {
  if (one.swaps.length === 0) return null;
  return (
    <section aria-label={t("community.swaps")} data-test="swaps">
      <h3>{t("community.swaps")}</h3>
      <ul class="linked">
        {one.swaps.map((swap, k) => (
          <li key={k}>{swap.taker === null ? t("community.offered", { giver: swap.giver }) : t("community.answered", { giver: swap.giver, taker: swap.taker })}</li>
        ))}
      </ul>
      <p class="quiet">{t("community.swap_note")}</p>
    </section>
  );
}
