import { useState } from "preact/hooks";
import { integer, named, t } from "../i18n.ts";
import { rowText } from "../refusals.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import { useOnce } from "../parts/useOnce.ts";
import { address, ask, hrefOf } from "./address.ts";
import { cases, type Moved } from "./api.ts";
import { kindOf, kinds } from "./known.ts";
import { Refusal } from "./parts.tsx";

/** Running cases go over to the version of their type that is in force: what does not fit is told first, and none is moved then. */
export function MigratePage() {
  const type = address.value.ask.get("type") ?? "";
  const kind = kindOf(type);
  const [made, setMade] = useState<Moved | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const { busy, once } = useOnce();
  const send = async (dry: boolean): Promise<void> => {
    if (!kind) return;
    setMade(null);
    setFault(null);
    await cases.migrate(kind.id, kind.version, dry).then(setMade, setFault);
  };
  const ready = made !== null && made.n_moved === 0 && made.n_cases > 0 && made.misfits.length === 0;
  return (
    <div class="case-page" data-test="migrate-page">
      <div class="panel migrate-form">
        <h2>{t("migrate.title")}</h2>
        <p class="quiet">{t("migrate.note")}</p>
        <label class="block field">
          <span>{t("cases.type")}</span>
          <select
            value={type}
            onChange={(picked) => {
              setMade(null);
              setFault(null);
              ask({ type: picked.currentTarget.value });
            }}
            data-test="migrate-type"
          >
            <option value="">{t("cases.choose")}</option>
            {kinds.value.map((one) => (
              <option key={one.id} value={one.id}>
                {named(one.label, one.id)}
              </option>
            ))}
          </select>
          {kind && <span class="quiet hint">{t("migrate.version", { n: kind.version })}</span>}
        </label>
        <Refusal fault={fault} />
        {made && <Outcome made={made} />}
        <p class="buttons">
          <button type="button" class={ready ? "plain" : "primary"} disabled={!kind} aria-busy={busy} onClick={() => void once(() => send(true))} data-test="migrate-try">
            {t(busy ? "sheet.busy" : "migrate.try")}
          </button>
          {ready && (
            <button type="button" class="primary" aria-busy={busy} onClick={() => void once(() => send(false))} data-test="migrate-do">
              {t("migrate.do", { n: integer(made.n_cases) })}
            </button>
          )}
        </p>
      </div>
    </div>
  );
}

function Outcome({ made }: { made: Moved }) {
  const misfit = t("migrate.misfits", { n: integer(new Set(made.misfits.map((one) => one.case)).size), of: integer(made.n_cases) });
  if (made.misfits.length > 0)
    return (
      <div role="alert" data-test="misfits">
        <p class="condition">{misfit}</p>
        <TableScroll name={misfit}>
          <table class="table fault-table">
            <thead>
              <tr>
                <th scope="col">{t("papers_told.case")}</th>
                <th scope="col">{t("migrate.where")}</th>
                <th scope="col">{t("refusal_part.value")}</th>
                <th scope="col">{t("refusal_part.rule")}</th>
                <th scope="col">{t("refusal_part.next")}</th>
              </tr>
            </thead>
            <tbody>
              {made.misfits.map((one, k) => (
                <tr key={k}>
                  <td>
                    <a class="mono" href={hrefOf("case", {}, one.case)}>
                      {one.case}
                    </a>
                  </td>
                  <td>{one.where}</td>
                  <td class="wrap">{one.value}</td>
                  <td>{rowText(one).rule}</td>
                  <td>{rowText(one).next}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      </div>
    );
  const text = made.n_moved > 0 ? t("migrate.moved", { n: integer(made.n_moved), to: made.to }) : made.n_cases > 0 ? t("migrate.fits", { n: integer(made.n_cases), to: made.to }) : t("migrate.nothing");
  return (
    <p class="is-genuine" role="status" data-test="migrate-outcome">
      {text}
    </p>
  );
}
