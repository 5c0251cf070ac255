import { useState } from "preact/hooks";
import { address, go, hrefOf, spotIn } from "../cases/address.ts";
import { PlaceInput } from "../cases/DraftInputs.tsx";
import { Refusal } from "../cases/parts.tsx";
import { fromLocal } from "../cases/zone.ts";
import { say } from "../desk.ts";
import { named, t } from "../i18n.ts";
import { useOnce } from "../parts/useOnce.ts";
import { kept } from "./asked.ts";
import { community, type Board } from "./api.ts";
import { news } from "./known.ts";
import { KeySelect, namesOf } from "./parts.tsx";

/** A shift to be planned: what is done, where and when, how many are wanted, and how many of them with a skill. */
export function NewShiftForm({ board }: { board: Board }) {
  const asked = address.value.ask;
  const [zh, setZh] = useState("");
  const [en, setEn] = useState("");
  const [at, setAt] = useState<[number, number] | null>(spotIn(asked));
  const [begin, setBegin] = useState("");
  const [end, setEnd] = useState("");
  const [places, setPlaces] = useState(4);
  const [needs, setNeeds] = useState<Record<string, number>>({});
  const [alliance, setAlliance] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const send = async (): Promise<void> => {
    const [begin_at, end_at] = [fromLocal(begin), fromLocal(end)];
    if (!at || !begin_at || !end_at) return;
    setFault(null);
    try {
      const wanted = Object.fromEntries(Object.entries(needs).filter(([, n]) => n > 0));
      const made = await community.plan({ name: { ...(zh ? { zh } : {}), ...(en ? { en } : {}) }, at, begin_at, end_at, places, needs: wanted, alliance: alliance || null });
      say(t("community.is_planned"));
      news.value += 1;
      go(hrefOf("shifts", kept(asked), made.id));
    } catch (refused) {
      setFault(refused);
    }
  };
  return (
    <form
      class="panel"
      data-test="shift-form"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(send);
      }}
    >
      <h2>{t("community.plan")}</h2>
      <label class="block field">
        <span>{t("community.name_zh")}</span>
        <input value={zh} maxLength={60} required={!en} onInput={(typed) => setZh(typed.currentTarget.value)} data-test="shift-zh" />
      </label>
      <label class="block field">
        <span>{t("community.name_en")}</span>
        <input value={en} maxLength={60} required={!zh} onInput={(typed) => setEn(typed.currentTarget.value)} data-test="shift-en" />
      </label>
      <div class="pair">
        <label class="block field">
          <span>{t("community.begins")}</span>
          <input type="datetime-local" required value={begin} onInput={(typed) => setBegin(typed.currentTarget.value)} data-test="shift-begin" />
        </label>
        <label class="block field">
          <span>{t("community.ends")}</span>
          <input type="datetime-local" required value={end} onInput={(typed) => setEnd(typed.currentTarget.value)} data-test="shift-end" />
        </label>
      </div>
      <label class="block field">
        <span>{t("community.places")}</span>
        <input type="number" min={1} max={500} required value={places} onInput={(typed) => setPlaces(Number(typed.currentTarget.value))} data-test="shift-places" />
      </label>
      <fieldset class="needs">
        <legend>{t("community.of_them")}</legend>
        {Object.entries(board.skills).map(([key, label]) => (
          <label key={key}>
            <span>{named(label, key)}</span>
            <input type="number" min={0} max={places} value={needs[key] ?? 0} onInput={(typed) => setNeeds({ ...needs, [key]: Number(typed.currentTarget.value) })} data-test={`need-${key}`} />
          </label>
        ))}
      </fieldset>
      <KeySelect label={t("community.alliance")} none={t("community.everybody")} of={namesOf(board.alliances)} value={alliance} pick={setAlliance} test="shift-for" />
      <PlaceInput draft={{ at, area: "" }} change={(told) => "at" in told && setAt(told.at ?? null)} areas={false} />
      <Refusal fault={fault} />
      <p class="buttons">
        <button type="submit" class="primary" disabled={!at} aria-busy={busy} data-test="plan-shift">
          {t("community.plan")}
        </button>
        <a class="plain" href={hrefOf("shifts", kept(asked))}>
          {t("draw.cancel")}
        </a>
      </p>
    </form>
  );
}
