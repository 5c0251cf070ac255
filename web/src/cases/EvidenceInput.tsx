import { useEffect, useState } from "preact/hooks";
import { integer, lang, momentOf, named, t } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { underway } from "../underway/api.ts";
import { cases, type Kind } from "./api.ts";
import { Refusal } from "./parts.tsx";
import type { Digests, Unsent } from "./unsent.ts";

const MOST_BYTES = 7_500_000;
const TAKEN = "image/png,image/jpeg,application/pdf,.docx,.xlsx,.pptx,.odt,.ods";

/**
 * Files that come with a step, one of each kind. Each is sent when it is chosen, so that the step itself is quick; `set` is
 * told what to make of what is there then, for several may be on their way at once. What did not arrive stays `unsent`, and
 * whoever sends the step sends it first.
 */
export function EvidenceInput({ kind, wanted, needed, digests, set, unsent, of = "" }: { kind: Kind; wanted: string[]; needed: boolean; digests: Digests; set: (change: (was: Digests) => Digests) => void; unsent: Unsent; of?: string }) {
  if (wanted.length === 0) return null;
  return (
    <fieldset class="evidence">
      <legend>{t("cases.evidence")}</legend>
      {wanted.map((name) => (
        <One key={name} name={name} unsent={unsent} label={named(kind.evidence[name], name)} needed={needed} digest={digests[name]} of={kind.runs && name === "rehearsal" ? of : ""} set={(digest) => set((was) => (digest === null ? without(was, name) : { ...was, [name]: digest }))} />
      ))}
    </fieldset>
  );
}

function without(digests: Digests, name: string): Digests {
  const { [name]: _, ...rest } = digests;
  return rest;
}

function One({ name, label, needed, digest, set, unsent, of }: { name: string; label: string; needed: boolean; digest: string | undefined; set: (digest: string | null) => void; unsent: Unsent; of: string }) {
  const [file, setFile] = useState<File | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [seen, setSeen] = useState("");
  useEffect(() => {
    if (!file || !file.type.startsWith("image/")) return setSeen("");
    const href = URL.createObjectURL(file);
    setSeen(href);
    return () => URL.revokeObjectURL(href);
  }, [file]);
  const send = async (chosen: File | undefined): Promise<void> => {
    setFault(null);
    setFile(chosen ?? null);
    set(null);
    unsent.drop(name);
    if (!chosen) return;
    if (chosen.size > MOST_BYTES) return setFault(new Error(t("cases.file_large", { n: integer(MOST_BYTES / 1e6) })));
    await arrived(unsent.begin(name, () => cases.sendFile(chosen)));
  };
  const arrived = async (digest: Promise<string>): Promise<void> => {
    setBusy(true);
    setFault(null);
    await digest.then(set, setFault);
    setBusy(false);
  };
  return (
    <div class="evidence-one">
      <label class="file-choice">
        <span>
          {label}
          {needed && <i class="needed" title={t("cases.needed")} aria-hidden="true" />}
        </span>
        <b class="plain">{t(file ? "cases.file_other" : "cases.file_choose")}</b>
        <input type="file" accept={TAKEN} required={needed && !digest} onChange={(change) => void send(change.currentTarget.files?.[0])} data-test={`file-${name}`} />
      </label>
      {of && <FromRehearsal one={of} set={(made) => (unsent.drop(name), set(made))} fail={setFault} />}
      {seen && <img class="thumb" src={seen} alt={label} />}
      <span class="quiet" role="status" data-test={`sent-${name}`}>
        {file?.name} {busy ? t("cases.sending") : digest ? t("cases.sent") : ""}
      </span>
      {fault !== null && !digest && (
        <>
          <Refusal fault={fault} />
          {file && file.size <= MOST_BYTES && (
            <button type="button" class="plain" aria-busy={busy} onClick={() => void arrived(unsent.run(name))} data-test={`again-${name}`}>
              {t("cases.send_again")}
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** The record of the newest rehearsal, without a way over somebody's disk. */
function FromRehearsal({ one, set, fail }: { one: string; set: (digest: string) => void; fail: (fault: unknown) => void }) {
  const told = useAsked(`evidence ${one}`, 0, () => underway.rehearsals(one));
  const newest = told.answer?.rehearsals[0];
  if (!newest) return null;
  return (
    <button type="button" class="plain" onClick={() => void underway.file(one, newest.id, lang.peek()).then(set, fail)} data-test="from-rehearsal">
      {t("rehearsal.attach", { time: momentOf(newest.made_at) })}
    </button>
  );
}
