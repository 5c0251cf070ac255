import { named, t } from "../i18n.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import type { Case, Field, Kind, Row } from "./api.ts";
import { valueText } from "./words.ts";

/** What a case tells: its fields in the order of the type, tables beneath. */
export function FieldList({ one, kind }: { one: Case; kind: Kind }) {
  const told = kind.fields.filter((field) => one.fields[field.id] !== undefined);
  const plain = told.filter((field) => field.kind !== "table");
  const tables = told.filter((field) => field.kind === "table");
  return (
    <section class="panel" data-test="fields">
      <h3>{t("cases.fields")}</h3>
      {told.length === 0 && <p class="quiet">{t("cases.nothing_told")}</p>}
      <dl class="field-list">
        {plain.map((field) => (
          <div key={field.id} class={field.kind === "text" ? "is-wide" : ""}>
            <dt>{named(field.label, field.id)}</dt>
            <dd>{valueText(field, one.fields[field.id])}</dd>
          </div>
        ))}
      </dl>
      {tables.map((field) => (
        <TableView key={field.id} field={field} rows={one.fields[field.id] as Row[]} />
      ))}
    </section>
  );
}

const isNumber = (column: Field): boolean => column.kind === "number" || column.kind === "integer";

const FOLDED = 8; // a table of more rows is folded, or thirty headings hide everything beneath

export function TableView({ field, rows }: { field: Field; rows: Row[] }) {
  const used = field.columns.filter((column) => rows.some((row) => row[column.id] !== undefined));
  return (
    <details class="field-table" open={rows.length <= FOLDED}>
      <summary>
        {named(field.label, field.id)} <span class="quiet">{t("cases.n_rows", { n: rows.length })}</span>
      </summary>
      <TableScroll name={named(field.label, field.id)}>
        <table class="table">
          <thead>
            <tr>
              {used.map((column) => (
                <th key={column.id} scope="col" class={isNumber(column) ? "number" : ""}>
                  {named(column.label, column.id)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, k) => (
              <tr key={k}>
                {used.map((column) => (
                  <td key={column.id} class={isNumber(column) ? "number" : ""}>
                    {valueText(column, row[column.id])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </details>
  );
}
