import { useId, useState } from "preact/hooks";
import { lang, named, t } from "../i18n.ts";
import type { Named } from "./api.ts";
import { Beside, marksOf, type Fault } from "./fields.tsx";

interface Bound {
  chosen: string[];
  names: Named[];
  fault: Fault | null;
  set: (chosen: string[]) => void;
}

/** Which places, stops and streets count as key areas: chosen by name, shown as a list, each to be taken away. */
export function KeyAreas({ chosen, names, fault, set }: Bound) {
  const [typed, setTyped] = useState("");
  const list = useId();
  const shown = (key: string): string => named(names.find((one) => one.key === key)?.name, key);
  const left = names.filter((one) => !chosen.includes(one.key));
  const add = (): void => {
    const wanted = typed.trim();
    if (wanted === "") return;
    const same = (text: string | undefined): boolean => text?.toLowerCase() === wanted.toLowerCase();
    const key = names.find((one) => same(one.key) || same(one.name.zh) || same(one.name.en))?.key ?? wanted;
    if (!chosen.includes(key)) set([...chosen, key]);
    setTyped("");
  };
  return (
    <fieldset class="key-areas" data-test="key-areas">
      <legend>{t("plan.key_areas")}</legend>
      {chosen.length === 0 && <p class="quiet">{t("plan.key_none")}</p>}
      <ul>
        {chosen.map((key, k) => (
          <li key={key} data-key={key}>
            <span>{shown(key)}</span>
            <button type="button" class="link" onClick={() => set(chosen.filter((one) => one !== key))} aria-label={t("plan.key_remove", { name: shown(key) })} {...marksOf(`key.${k}`, fault)}>
              ×
            </button>
            <Beside name={`key.${k}`} label={t("plan.key_area")} typed={shown(key)} fault={fault} />
          </li>
        ))}
      </ul>
      <Beside name="key" label={t("plan.key_areas")} typed={String(chosen.length)} fault={fault} />
      <div class="key-add">
        <input
          list={list}
          value={typed}
          aria-label={t("plan.key_add_label")}
          placeholder={t("plan.key_add_label")}
          onInput={(change) => setTyped(change.currentTarget.value)}
          onKeyDown={(pressed) => {
            if (pressed.key !== "Enter") return;
            pressed.preventDefault(); // it adds, and does not send the form
            add();
          }}
          data-test="key-name"
        />
        <datalist id={list}>
          {left.map((one) => (
            <option key={`${one.key} ${lang.value}`} value={named(one.name, one.key)} />
          ))}
        </datalist>
        <button type="button" class="plain" onClick={add} data-test="key-add">
          {t("plan.key_add")}
        </button>
      </div>
    </fieldset>
  );
}
