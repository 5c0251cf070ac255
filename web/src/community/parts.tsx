/** Small things that several pages of the community show. */

import { useEffect, useState } from "preact/hooks";
import type { Label } from "../shapes.ts";
import { say } from "../desk.ts";
import { integer, named, t } from "../i18n.ts";

/** A link for volunteers as text and as a code to scan; `src` is a picture that the server draws, `svg` one that it told. */
export function CodeCard({ title, link, src, svg, name }: { title: string; link: string; src?: string; svg?: string | null; name: string }) {
  const [href, setHref] = useState(src ?? "");
  useEffect(() => {
    if (!svg) return;
    const made = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    setHref(made);
    return () => URL.revokeObjectURL(made);
  }, [svg]);
  const copy = (): void => {
    const done = navigator.clipboard?.writeText(link);
    if (done) done.then(() => say(t("cases.copied")), () => say(link));
    else say(link);
  };
  return (
    <figure class="code-card" data-test={`code-${name}`}>
      {href && <img src={href} alt={t("community.code_of", { what: title })} width="148" height="148" />}
      <figcaption>
        <strong>{title}</strong>
        <span class="mono wrap" data-test={`link-${name}`}>
          {link}
        </span>
        <span class="buttons">
          <button type="button" class="plain" onClick={copy}>
            {t("community.copy_link")}
          </button>
          {href && (
            <a class="plain" href={href} download={`${name}.svg`}>
              {t("community.save_code")}
            </a>
          )}
        </span>
      </figcaption>
    </figure>
  );
}

/** How far a number has come to what is wanted, in words and as a bar. */
export function Filled({ n, of, over = false }: { n: number; of: number; over?: boolean }) {
  return (
    <span class={`filled${n >= of ? " is-full" : ""}${over ? " is-over" : ""}`}>
      <b>{t("community.n_of", { n: integer(n), of: integer(of) })}</b>
      <span class="bar" aria-hidden="true">
        <i style={{ width: `${of > 0 ? Math.min(100, (100 * n) / of) : 0}%` }} />
      </span>
    </span>
  );
}

/** Several keys of a list, each to be ticked. */
export function Ticks({ legend, of, chosen, set, test }: { legend: string; of: Record<string, Label>; chosen: string[]; set: (chosen: string[]) => void; test: string }) {
  return (
    <fieldset class="ticks" data-test={test}>
      <legend>{legend}</legend>
      {Object.entries(of).map(([key, label]) => (
        <label key={key} class="choice">
          <input type="checkbox" checked={chosen.includes(key)} onChange={(change) => set(change.currentTarget.checked ? [...chosen, key] : chosen.filter((one) => one !== key))} data-test={`${test}-${key}`} />
          {named(label, key)}
        </label>
      ))}
    </fieldset>
  );
}

/** A choice among keys with their labels, with an empty one first. */
export function KeySelect({ label, none, of, value, pick, test, n }: { label: string; none: string; of: Record<string, Label>; value: string; pick: (key: string) => void; test: string; n?: Record<string, number> }) {
  return (
    <label class="block">
      <span>{label}</span>
      <select value={value} onChange={(change) => pick(change.currentTarget.value)} data-test={test}>
        <option value="">{none}</option>
        {Object.entries(of).map(([key, text]) => (
          <option key={key} value={key}>
            {named(text, key)}
            {n && ` (${integer(n[key] ?? 0)})`}
          </option>
        ))}
      </select>
    </label>
  );
}

export const namesOf = (listed: { id: string; name: Label }[]): Record<string, Label> => Object.fromEntries(listed.map((one) => [one.id, one.name]));
