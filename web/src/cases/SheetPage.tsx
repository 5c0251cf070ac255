import { useState } from "preact/hooks";
import { integer, named, t } from "../i18n.ts";
import { rowText } from "../refusals.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import { useOnce } from "../parts/useOnce.ts";
import { useDraft } from "./draft.ts";
import { TypeInput } from "./DraftInputs.tsx";
import { address, hrefOf } from "./address.ts";
import { cases, type Imported, type Kind, type RowFault } from "./api.ts";
import { kindOf } from "./known.ts";
import { Refusal } from "./parts.tsx";

/** A sheet becomes cases. It is read first and every fault told at once; then all its rows are opened, or none. */
export function SheetPage() {
  const [draft, change] = useDraft(address.value.ask);
  const [sheet, setSheet] = useState<File | null>(null);
  const [made, setMade] = useState<Imported | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const kind = kindOf(draft.type);
  const afresh = (): void => {
    setMade(null);
    setFault(null);
  };
  const send = async (file: File, dry: boolean): Promise<void> => {
    afresh();
    await cases.importSheet(draft.type, file, draft.parent, dry).then(setMade, setFault);
  };
  const read = made !== null && made.opened.length === 0;
  return (
    <form
      class="case-columns draft"
      data-test="sheet-page"
      onSubmit={(sent) => {
        sent.preventDefault();
        if (sheet) void once(() => send(sheet, true));
      }}
    >
      <div class="case-main panel">
        <h2>{t("sheet.title")}</h2>
        <p class="quiet">{t("sheet.note")}</p>
        <TypeInput draft={draft} change={(told) => (afresh(), change(told))} openable />
        {draft.parent && (
          <p class="quiet">
            {t("cases.part_of")} <a href={hrefOf("case", {}, draft.parent)}>{draft.parent}</a>
          </p>
        )}
        <label class="file-choice">
          <span>
            {t("sheet.file")}
            <i class="needed" aria-hidden="true" />
          </span>
          <b class="plain">{t(sheet ? "cases.file_other" : "cases.file_choose")}</b>
          <input type="file" accept=".csv,.xlsx" required onChange={(picked) => (afresh(), setSheet(picked.currentTarget.files?.[0] ?? null))} data-test="sheet-file" />
        </label>
        {sheet && <p class="quiet">{sheet.name}</p>}
        <Refusal fault={fault} />
        {read && <Read made={made} />}
        {made && !read && <Opened made={made} type={draft.type} parent={draft.parent} />}
        <p class="buttons">
          <button type="submit" class={read && made.faults.length === 0 ? "plain" : "primary"} disabled={!kind || !sheet} aria-busy={busy} data-test="sheet-read">
            {t(busy ? "sheet.busy" : "sheet.read")}
          </button>
          {read && made.faults.length === 0 && made.n_cases > 0 && (
            <button type="button" class="primary" aria-busy={busy} onClick={() => sheet && void once(() => send(sheet, false))} data-test="sheet-open">
              {t("sheet.open_n", { n: integer(made.n_cases) })}
            </button>
          )}
        </p>
      </div>
      <div class="case-side">{kind && <Headings kind={kind} />}</div>
    </form>
  );
}

function Read({ made }: { made: Imported }) {
  if (made.faults.length === 0)
    return (
      <p class="is-genuine" role="status" data-test="sheet-fits">
        {t("sheet.fits", { n: integer(made.n_cases) })}
      </p>
    );
  const found = t("sheet.faults", { n: integer(made.faults.length) });
  return (
    <div role="alert" data-test="sheet-faults">
      <p class="condition">{found}</p>
      <TableScroll name={found}>
        <table class="table fault-table">
          <thead>
            <tr>
              <th scope="col" class="number">
                {t("sheet.row")}
              </th>
              <th scope="col">{t("sheet.column")}</th>
              <th scope="col">{t("refusal_part.value")}</th>
              <th scope="col">{t("refusal_part.rule")}</th>
              <th scope="col">{t("refusal_part.next")}</th>
            </tr>
          </thead>
          <tbody>
            {made.faults.map((fault, k) => (
              <FaultRow key={k} fault={fault} />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </div>
  );
}

function FaultRow({ fault }: { fault: RowFault }) {
  const told = rowText(fault);
  return (
    <tr>
      <td class="number">{integer(fault.row)}</td>
      <td>{fault.column}</td>
      <td class="wrap">{fault.value}</td>
      <td>{told.rule}</td>
      <td>{told.next}</td>
    </tr>
  );
}

function Opened({ made, type, parent }: { made: Imported; type: string; parent: string }) {
  const [only] = made.opened;
  const href = made.opened.length === 1 && only ? hrefOf("case", {}, only) : parent ? hrefOf("case", {}, parent) : hrefOf("list", { type, order: "opened" });
  return (
    <p class="is-genuine" role="status" data-test="sheet-opened">
      {t("sheet.opened", { n: integer(made.opened.length) })} <a href={href}>{t("sheet.see")}</a>
    </p>
  );
}

/** What the head of a sheet may hold: the ids of fields, or their names in either language. */
function Headings({ kind }: { kind: Kind }) {
  const fields = kind.fields.filter((field) => kind.opening.includes(field.id) && field.kind !== "table");
  return (
    <section class="panel" data-test="sheet-headings">
      <h3>{t("sheet.headings")}</h3>
      <p class="quiet">{t("sheet.area_note")}</p>
      <ul class="headings">
        {fields.map((field) => (
          <li key={field.id}>
            <span class="mono">{field.id}</span> {named(field.label, field.id)}
            {field.required && <i class="needed" title={t("cases.needed")} />}
            {field.kind === "choice" && <span class="quiet block">{Object.entries(field.options).map(([id, label]) => named(label, id)).join(t("list.comma"))}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
