import { momentOf, named, t } from "../i18n.ts";
import { me } from "../staff.ts";
import { fileHref, type Case, type Kind, type Line, type Row } from "./api.ts";
import { TableView } from "./FieldList.tsx";
import { labelOf, valueText } from "./words.ts";

/** What became of a case, newest first: who, what was told with it, and the files that came along. */
export function HistoryList({ one, kind, history }: { one: Case; kind: Kind; history: Line[] }) {
  return (
    <section class="panel" data-test="history">
      <h3>
        {t("cases.history")} <span class="quiet">{t("cases.n_steps", { n: history.length })}</span>
      </h3>
      <ol class="history" reversed>
        {[...history].reverse().map((line, k) => (
          <Entry key={history.length - k} one={one} kind={kind} line={line} />
        ))}
      </ol>
    </section>
  );
}

function stepText(kind: Kind, line: Line): string {
  if (line.step === "open") return t("cases.was_opened");
  if (line.step === "migrate") return t("cases.was_migrated");
  return labelOf(kind.steps, line.step);
}

/** Who took a step: the office, else the roles that may take it, with the id that the log keeps. */
function unitText(line: Line): string {
  const roles = line.roles.map((role) => named(role)).join(t("list.or"));
  const name = named(line.unit_name, roles);
  return line.unit_name || name === "" ? name || line.unit : t("cases.by_role", { role: name, unit: line.unit });
}

function Entry({ one, kind, line }: { one: Case; kind: Kind; line: Line }) {
  const own = me.value?.account?.id === line.actor;
  const told = kind.fields.filter((field) => line.filled[field.id] !== undefined);
  return (
    <li data-step={line.step}>
      <p class="history-head">
        <strong>{stepText(kind, line)}</strong>
        <span class="state-tag">{labelOf(kind.states, line.target)}</span>
        <time class="quiet" dateTime={line.at}>
          {momentOf(line.at)}
        </time>
      </p>
      <p class="quiet" data-test="unit">{own ? t("cases.by_you", { unit: unitText(line) }) : unitText(line)}</p>
      {line.note && <blockquote>{line.note}</blockquote>}
      {told.length > 0 && <Told kind={kind} line={line} />}
      {Object.keys(line.evidence).length > 0 && (
        <ul class="files">
          {Object.entries(line.evidence).map(([name, digest]) => (
            <Evidence key={name} one={one} label={labelOf(kind.evidence, name)} digest={digest} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** What was told with a step. Of the opening it is folded: it stands above already, as far as nobody changed it. */
function Told({ kind, line }: { kind: Kind; line: Line }) {
  const told = kind.fields.filter((field) => line.filled[field.id] !== undefined);
  const list = (
    <dl class="history-told">
      {told.map((field) => (
        <div key={field.id} class={field.kind === "text" ? "is-wide" : ""}>
          {field.kind === "table" ? (
            <dd>
              <TableView field={field} rows={line.filled[field.id] as Row[]} />
            </dd>
          ) : (
            <>
              <dt>{named(field.label, field.id)}</dt>
              <dd>{valueText(field, line.filled[field.id])}</dd>
            </>
          )}
        </div>
      ))}
    </dl>
  );
  if (line.step !== "open") return list;
  return (
    <details class="fold">
      <summary>{t("cases.told_then", { n: told.length })}</summary>
      {list}
    </details>
  );
}

function Evidence({ one, label, digest }: { one: Case; label: string; digest: string }) {
  const file = one.files.find((each) => each.digest === digest);
  const href = fileHref(one.id, digest);
  return (
    <li>
      <a href={href} download class="file" data-test="file">
        {file?.media_type.startsWith("image/") && <img class="thumb" src={href} alt={label} loading="lazy" />}
        <span>
          {label}
          {file && <span class="quiet block">{t("cases.file_size", { kb: Math.max(1, Math.round(file.n_bytes / 1000)) })}</span>}
        </span>
      </a>
    </li>
  );
}
