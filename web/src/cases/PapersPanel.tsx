import { useState } from "preact/hooks";
import { say } from "../desk.ts";
import { lang, named, t, type Key } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { save } from "../save.ts";
import { may } from "../staff.ts";
import { hrefOf } from "./address.ts";
import { cases, paperPath, type Case, type Kind, type Offered } from "./api.ts";
import { Refusal } from "./parts.tsx";
import { labelOf } from "./words.ts";

const FORMS = ["pdf", "docx"] as const;
const LETTER = "letter";

/** Why a paper is not given where the case stands, by how the server begins to say it. */
const MISSED: readonly [RegExp, Key][] = [
  [/^must wait until a clock/, "papers.waits_clock"],
  [/^must be of a case that was not forgotten/, "papers.forgotten"],
];
const IN_STATES = /^must be asked in /;

function missedText(missed: string, kind: Kind): string {
  if (IN_STATES.test(missed)) {
    const states = missed.replace(IN_STATES, "").split(", ");
    return t("papers.waits_state", { states: states.map((state) => labelOf(kind.states, state)).join(t("list.comma")) });
  }
  const known = MISSED.find(([begins]) => begins.test(missed));
  return known ? t(known[1]) : missed;
}

/** The papers that a case gives: made from its template when they are asked for; that they were is a line of the log. */
export function PapersPanel({ one, kind }: { one: Case; kind: Kind }) {
  const told = useAsked(`papers ${one.id}`, one.n_changes, () => cases.papers(one.id));
  const [fault, setFault] = useState<unknown>(null);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState("");
  if (!told.answer || told.answer.length === 0) return null;
  const issue = async (paper: Offered, form: (typeof FORMS)[number]): Promise<void> => {
    setBusy(`${paper.id} ${form}`);
    setFault(null);
    try {
      const how = { form, lang: lang.peek(), ...(paper.id === LETTER && reason ? { reason } : {}) };
      await save(paperPath(one.id, paper.id, how), `${paper.id}-${one.id}.${form}`);
      say(t("papers.issued", { paper: named(paper.label, paper.id) }));
    } catch (refused) {
      setFault(refused);
    }
    setBusy("");
  };
  const given = told.answer.some((paper) => paper.missed === "");
  return (
    <section class="panel" data-test="papers">
      <h3>{t("papers.title")}</h3>
      <ul class="papers">
        {told.answer.map((paper) => (
          <li key={paper.id} data-test={`paper-${paper.id}`}>
            <span>{named(paper.label, paper.id)}</span>
            {paper.missed !== "" && <span class="quiet block">{missedText(paper.missed, kind)}</span>}
            {paper.missed === "" && may("cases.act") && (
              <span class="buttons">
                {FORMS.map((form) => (
                  <button type="button" key={form} class="plain" disabled={busy !== ""} onClick={() => void issue(paper, form)} data-test={`issue-${paper.id}-${form}`}>
                    {t(`papers.${form}`)}
                  </button>
                ))}
              </span>
            )}
            {paper.id === LETTER && paper.missed === "" && (
              <label class="block">
                <span>{t("papers.reason")}</span>
                <textarea rows={2} maxLength={1000} value={reason} onInput={(typed) => setReason(typed.currentTarget.value)} />
              </label>
            )}
          </li>
        ))}
      </ul>
      <Refusal fault={fault} />
      {given && (
        <p class="quiet">
          {t("papers.language")} <a href={hrefOf("check")}>{t("papers.check")}</a>
        </p>
      )}
    </section>
  );
}
