import { useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Incident } from "../shapes.ts";
import { address, go, hrefOf, spotIn } from "../cases/address.ts";
import { PlaceInput } from "../cases/DraftInputs.tsx";
import { Refusal } from "../cases/parts.tsx";
import { say } from "../desk.ts";
import { integer, named, t, timeOf } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { useOnce } from "../parts/useOnce.ts";
import { may } from "../staff.ts";
import { kept } from "./asked.ts";
import { community, type Board, type Near } from "./api.ts";
import { news } from "./known.ts";
import { KeySelect, namesOf, Ticks } from "./parts.tsx";

const MOST_WORDS = 120;
/** Whoever lives farther away is no first helper of an incident. */
const HELPERS_M = 1_200;

/** Helpers that are wanted: at an incident while units are on their way, or at any place. How many could be asked is told first. */
export function NewCallOutForm({ board }: { board: Board }) {
  const asked = address.value.ask;
  const [incident, setIncident] = useState(asked.get("incident") ?? "");
  const [at, setAt] = useState<[number, number] | null>(spotIn(asked));
  const [words, setWords] = useState("");
  const [quota, setQuota] = useState(4);
  const [skills, setSkills] = useState<string[]>([]);
  const [alliance, setAlliance] = useState("");
  const [hours, setHours] = useState(2);
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const open = useAsked<Incident[]>("incidents to help at", news.value, async () => (may("incidents.read") ? (await api.incidents(6)).filter((one) => one.state !== "closed") : []));
  const chosen = open.answer?.find((one) => one.id === incident);
  const spot = incident ? (chosen?.at ?? null) : at;
  const send = async (): Promise<void> => {
    if (!incident && !at) return;
    setFault(null);
    try {
      const told = { quota, words: words.trim(), skills };
      const made = incident ? await community.helpers(incident, told) : await community.call({ ...told, at: at!, alliance: alliance || null, hours });
      say(t("community.is_called", { n: integer(made.asked) }));
      news.value += 1;
      go(hrefOf("callouts", kept(asked), made.id));
    } catch (refused) {
      setFault(refused);
    }
  };
  return (
    <form
      class="panel"
      data-test="call-form"
      onSubmit={(sent) => {
        sent.preventDefault();
        void once(send);
      }}
    >
      <h2>{t("community.call")}</h2>
      {(open.answer?.length ?? 0) > 0 && (
        <label class="block field">
          <span>{t("community.at_incident")}</span>
          <select value={incident} onChange={(change) => setIncident(change.currentTarget.value)} data-test="call-incident">
            <option value="">{t("community.at_place")}</option>
            {open.answer!.map((one) => (
              <option key={one.id} value={one.id}>
                {named(one.name, one.kind)} · {timeOf(one.received_at)} · {one.id}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="block field">
        <span>
          {t("community.words")}
          <i class="needed" aria-hidden="true" />
        </span>
        <textarea rows={2} required maxLength={MOST_WORDS} value={words} onInput={(typed) => setWords(typed.currentTarget.value)} data-test="call-words" />
        <span class="quiet hint">{t("community.words_note")}</span>
      </label>
      <label class="block field">
        <span>{t("community.quota")}</span>
        <input type="number" min={1} max={500} required value={quota} onInput={(typed) => setQuota(Number(typed.currentTarget.value))} data-test="call-quota" />
      </label>
      <Ticks legend={t("community.with_skills")} of={board.skills} chosen={skills} set={setSkills} test="call-skill" />
      {!incident && (
        <>
          <div class="pair">
            <KeySelect label={t("community.alliance")} none={t("community.everybody")} of={namesOf(board.alliances)} value={alliance} pick={setAlliance} test="call-alliance" />
            <label class="block field">
              <span>{t("community.hours")}</span>
              <input type="number" min={0.5} max={24} step={0.5} required value={hours} onInput={(typed) => setHours(Number(typed.currentTarget.value))} />
            </label>
          </div>
          <PlaceInput draft={{ at, area: "" }} change={(told) => "at" in told && setAt(told.at ?? null)} areas={false} />
        </>
      )}
      {spot && <Nearby at={spot} skills={skills} within={incident ? HELPERS_M : Infinity} />}
      <Refusal fault={fault} />
      <p class="buttons">
        <button type="submit" class="primary" disabled={!incident && !at} aria-busy={busy} data-test="call">
          {t("community.call_go")}
        </button>
        <a class="plain" href={hrefOf("callouts", kept(asked))}>
          {t("draw.cancel")}
        </a>
      </p>
    </form>
  );
}

/** How many could be asked around a spot now; nobody is asked by looking. */
function Nearby({ at, skills, within }: { at: [number, number]; skills: string[]; within: number }) {
  const told = useAsked<Near[]>(`${at.join(",")} ${skills.join(",")}`, news.value, () => community.near(at, skills));
  if (!told.answer) return <p class="quiet">{told.error || t("app.loading")}</p>;
  return (
    <section data-test="nearby">
      <h3>{t("community.nearby")}</h3>
      <ul class="near-list">
        {told.answer.filter((one) => one.within_m <= within).map((one) => (
          <li key={one.within_m}>
            <span class="quiet">{t("community.within", { m: integer(one.within_m) })}</span> <b>{integer(one.volunteers)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
