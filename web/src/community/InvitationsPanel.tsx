import { useEffect, useState } from "preact/hooks";
import { address } from "../cases/address.ts";
import { rootArea } from "../cases/known.ts";
import { AreaPicker, Refusal } from "../cases/parts.tsx";
import { areaText } from "../cases/words.ts";
import { say, told } from "../desk.ts";
import { integer, momentOf, t } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { useOnce } from "../parts/useOnce.ts";
import { community, type Board, type Invitation, type Invited } from "./api.ts";
import { allianceText, news } from "./known.ts";
import { CodeCard, KeySelect, namesOf } from "./parts.tsx";

/** The invitations that are open, and how to make one. Its link is told once, when it is made. */
export function InvitationsPanel({ board }: { board: Board }) {
  const asked = address.value.ask;
  const [open, setOpen] = useState(asked.has("new"));
  const [made, setMade] = useState<{ label: string; one: Invited } | null>(null);
  const listed = useAsked<Invitation[]>("invitations", news.value, () => community.invitations());
  useEffect(() => {
    if (asked.has("new")) setOpen(true);
  }, [asked]);
  return (
    <section class="community-part" data-test="invitations">
      <details class="fold" open={open} onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary data-test="invitations-open">
          {t("community.invitations")} <span class="quiet">{listed.answer && integer(listed.answer.length)}</span>
        </summary>
        {made && <CodeCard title={made.label} link={made.one.link} svg={made.one.code} name="invitation" />}
        {made && <p class="condition">{t("community.told_once")}</p>}
        <ul class="linked">
          {listed.answer?.map((one) => (
            <Row key={one.id} one={one} />
          ))}
        </ul>
        {listed.error && <p class="refusal">{listed.error}</p>}
        <InviteForm board={board} area={asked.get("area_of") ?? ""} done={(label, one) => setMade({ label, one })} />
      </details>
    </section>
  );
}

function Row({ one }: { one: Invitation }) {
  const { busy, once } = useOnce();
  return (
    <li data-test="invitation">
      <strong>{one.label}</strong>{" "}
      <span class="quiet">
        {[areaText(one.area), allianceText(one.alliance), t("community.left_n", { n: integer(one.left) }), one.until_at ? t("community.until", { time: momentOf(one.until_at) }) : ""].filter(Boolean).join(" · ")}
      </span>{" "}
      <button type="button" class="link danger" aria-busy={busy} onClick={() => void once(() => community.withdraw(one.id).catch((fault: unknown) => say(told(fault))))} data-test="withdraw">
        {t("community.withdraw")}
      </button>
    </li>
  );
}

function InviteForm({ board, area: given, done }: { board: Board; area: string; done: (label: string, one: Invited) => void }) {
  const [label, setLabel] = useState("");
  const [area, setArea] = useState(given);
  const [alliance, setAlliance] = useState("");
  const [days, setDays] = useState(30);
  const [most, setMost] = useState(200);
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  useEffect(() => setArea(given), [given]);
  const send = async (): Promise<void> => {
    setFault(null);
    try {
      const made = await community.invite({ label: label.trim(), area: area || (rootArea()?.id ?? ""), alliance: alliance || null, days, most });
      done(label.trim(), made);
      setLabel("");
    } catch (refused) {
      setFault(refused);
    }
  };
  return (
    <form
      class="inline-form"
      data-test="invite-form"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(send);
      }}
    >
      <h3>{t("community.invite")}</h3>
      <label class="block">
        <span>{t("community.what_for")}</span>
        <input value={label} required maxLength={60} onInput={(typed) => setLabel(typed.currentTarget.value)} data-test="invite-label" />
      </label>
      <AreaPicker value={area} pick={setArea} label={t("cases.area")} test="invite-area" />
      <KeySelect label={t("community.alliance")} none={t("community.no_alliance")} of={namesOf(board.alliances)} value={alliance} pick={setAlliance} test="invite-alliance" />
      <label class="block">
        <span>{t("community.for_days")}</span>
        <input type="number" min={1} max={400} required value={days} onInput={(typed) => setDays(Number(typed.currentTarget.value))} />
      </label>
      <label class="block">
        <span>{t("community.at_most")}</span>
        <input type="number" min={1} max={5000} required value={most} onInput={(typed) => setMost(Number(typed.currentTarget.value))} />
      </label>
      <p class="buttons">
        <button type="submit" class="primary" aria-busy={busy} data-test="invite">
          {t("community.invite")}
        </button>
      </p>
      <Refusal fault={fault} />
    </form>
  );
}
