import { named, t } from "../i18n.ts";
import { useEffect } from "preact/hooks";
import { TableScroll } from "../parts/TableScroll.tsx";
import type { Field, Row } from "./api.ts";
import { learnReferences, references } from "./known.ts";
import { fromLocal, toLocal } from "./zone.ts";

interface Bound {
  field: Field;
  value: unknown;
  needed: boolean;
  set: (value: unknown) => void;
  /** Of a date or a moment: what is told of the others that it must come after. */
  others?: Row;
  /** Within a table, whose head says what the column is. */
  bare?: boolean;
}

/** One field of a type, as its kind is filled in. What is left empty is not told. */
export function FieldInput(bound: Bound) {
  const { field, needed, bare } = bound;
  const label = named(field.label, field.id);
  if (field.kind === "table") return <TableInput {...bound} />;
  return (
    <label class={bare ? "cell" : "block field"}>
      <span class={bare ? "sr-only" : ""}>
        {label}
        {needed && !bare && <i class="needed" title={t("cases.needed")} aria-hidden="true" />}
      </span>
      <Control {...bound} />
      {field.counted && <span class="quiet hint">{t("counted.hint")}</span>}
    </label>
  );
}

/** The latest that is told of the fields that one must come after. */
function earliest(field: Field, others: Row = {}): string | undefined {
  return field.after.map((name) => others[name]).filter((told) => typeof told === "string").toSorted().at(-1);
}

function Control({ field, value, needed, others, set }: Bound) {
  const test = `field-${field.id}`;
  const text = value === undefined || value === null ? "" : String(value);
  const from = earliest(field, others);
  if (field.refers) return <Reference refers={field.refers} value={text} needed={needed} set={set} test={test} />;
  switch (field.kind) {
    case "choice":
      return (
        <select value={text} required={needed} onChange={(change) => set(change.currentTarget.value || undefined)} data-test={test}>
          <option value="">{t("cases.choose")}</option>
          {Object.entries(field.options).map(([id, label]) => (
            <option key={id} value={id}>
              {named(label, id)}
            </option>
          ))}
        </select>
      );
    case "boolean":
      return (
        <select value={text} required={needed} onChange={(change) => set(change.currentTarget.value === "" ? undefined : change.currentTarget.value === "true")} data-test={test}>
          <option value="">{t("cases.choose")}</option>
          <option value="true">{t("cases.yes")}</option>
          <option value="false">{t("cases.no")}</option>
        </select>
      );
    case "number":
    case "integer":
      return <input type="number" value={text} required={needed} step={field.kind === "integer" ? 1 : "any"} min={field.least ?? undefined} max={field.most ?? undefined} onInput={(typed) => set(typed.currentTarget.value === "" ? undefined : Number(typed.currentTarget.value))} data-test={test} />;
    case "date":
      return <input type="date" value={text} required={needed} min={from} onInput={(typed) => set(typed.currentTarget.value || undefined)} data-test={test} />;
    case "moment":
      return <input type="datetime-local" value={text ? toLocal(text) : ""} required={needed} min={from && toLocal(from)} onInput={(typed) => set(fromLocal(typed.currentTarget.value) ?? undefined)} data-test={test} />;
    default:
      return <textarea rows={text.length > 80 ? 4 : 2} maxLength={4000} value={text} required={needed} onInput={(typed) => set(typed.currentTarget.value || undefined)} data-test={test} />;
  }
}

/** Something that the district holds, by its name. */
function Reference({ refers, value, needed, set, test }: { refers: "ground" | "device"; value: string; needed: boolean; set: (value: unknown) => void; test: string }) {
  useEffect(() => void learnReferences(true), []);
  const known = references.value[refers];
  return (
    <select value={value} required={needed} onChange={(change) => set(change.currentTarget.value || undefined)} data-test={test}>
      <option value="">{t("cases.choose")}</option>
      {value !== "" && !known.some((one) => one.id === value) && <option value={value}>{value}</option>}
      {known.map((one) => (
        <option key={one.id} value={one.id}>
          {named(one.name, one.id)}
        </option>
      ))}
    </select>
  );
}

/** A table: rows that are added, filled in and taken out. */
function TableInput({ field, value, needed, set }: Bound) {
  const rows = Array.isArray(value) ? (value as Row[]) : [];
  const change = (k: number, column: string, to: unknown): void => {
    const later = rows.map((row, n) => (n === k ? { ...row, [column]: to } : row));
    if (to === undefined) delete later[k]![column];
    set(later);
  };
  const fixed = rows.length >= (field.most ?? 500);
  return (
    <fieldset class="table-input" data-test={`field-${field.id}`}>
      <legend>
        {named(field.label, field.id)}
        {needed && <i class="needed" title={t("cases.needed")} aria-hidden="true" />} <span class="quiet">{t("cases.n_rows", { n: rows.length })}</span>
      </legend>
      {field.because && <p class="quiet">{named(field.because)}</p>}
      {rows.length > 0 && (
        <TableScroll name={named(field.label, field.id)}>
          <table class="table">
            <thead>
              <tr>
                {field.columns.map((column) => (
                  <th key={column.id} scope="col">
                    {named(column.label, column.id)}
                    {column.required && <i class="needed" aria-hidden="true" />}
                  </th>
                ))}
                <th scope="col">
                  <span class="sr-only">{t("cases.row_out")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, k) => (
                <tr key={k}>
                  {field.columns.map((column) => (
                    <td key={column.id}>
                      <FieldInput bare field={column} value={row[column.id]} needed={column.required} set={(to) => change(k, column.id, to)} />
                    </td>
                  ))}
                  <td>
                    <button type="button" class="plain" aria-label={t("cases.row_out_n", { n: k + 1 })} onClick={() => set(rows.length === 1 ? undefined : rows.filter((_, n) => n !== k))}>
                      ×
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      <button type="button" class="plain" disabled={fixed} onClick={() => set([...rows, {}])} data-test={`add-row-${field.id}`}>
        {t("cases.row_more")}
      </button>
    </fieldset>
  );
}
