import { useState } from "preact/hooks";
import { named, t, word } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { hrefOf } from "./address.ts";
import { cases, type Verified } from "./api.ts";
import { kindOf } from "./known.ts";
import { Refusal } from "./parts.tsx";

/** Whether the code on a paper is genuine, and whether its case stands as it did. */
export function CheckPage() {
  const [code, setCode] = useState("");
  const [found, setFound] = useState<Verified | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const key = useAsked("paper key", 0, cases.paperKey);
  const look = async (): Promise<void> => {
    setFound(null);
    setFault(null);
    await cases.verify(code.trim()).then(setFound, setFault);
  };
  return (
    <div class="case-page" data-test="check-page">
      <form
        class="panel check-form"
        onSubmit={(sent) => {
          sent.preventDefault();
          void look();
        }}
      >
        <h2>{t("papers.check")}</h2>
        <p class="quiet">{t("papers.check_note")}</p>
        <label class="block field">
          <span>{t("papers.code")}</span>
          <textarea rows={4} class="mono" required maxLength={1300} value={code} onInput={(typed) => setCode(typed.currentTarget.value)} data-test="paper-code" />
        </label>
        <p class="buttons">
          <button type="submit" class="primary" data-test="check-code">
            {t("papers.look")}
          </button>
        </p>
        <Refusal fault={fault} />
        {found && <Found told={found} />}
        {key.answer && (
          <p class="quiet">
            {t("papers.key")} <span class="mono wrap">{key.answer}</span>
          </p>
        )}
      </form>
    </div>
  );
}

function Found({ told }: { told: Verified }) {
  const { case: of = "", type = "", ...rest } = told.told;
  const kind = kindOf(type);
  const label = (name: string): string => {
    const field = kind?.fields.find((one) => one.id === name);
    return field ? named(field.label, name) : word("papers_told", name);
  };
  return (
    <div role="status" data-test="verified">
      <p class={told.stands === true ? "is-genuine" : "condition"}>
        {t("papers.genuine")} {t(told.stands === null ? "papers.gone" : told.stands ? "papers.stands" : "papers.changed")}
      </p>
      <dl class="field-list">
        {type && (
          <div>
            <dt>{t("cases.type")}</dt>
            <dd>{named(kind?.label, type)}</dd>
          </div>
        )}
        {of && (
          <div>
            <dt>{t("papers_told.case")}</dt>
            <dd>
              <a class="mono" href={hrefOf("case", {}, of)}>
                {of}
              </a>
            </dd>
          </div>
        )}
        {Object.entries(rest).map(([name, value]) => (
          <div key={name}>
            <dt>{label(name)}</dt>
            <dd>{named(kind?.fields.find((one) => one.id === name)?.options[value], value)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
