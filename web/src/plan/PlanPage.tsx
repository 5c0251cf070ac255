import { batch, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { faultFrom } from "../api.ts";
import { address, hrefOf } from "../cases/address.ts";
import { Refusal } from "../cases/parts.tsx";
import { following, say, told } from "../desk.ts";
import { known, lang, momentOf, t, type Key } from "../i18n.ts";
import { inOrder } from "../order.ts";
import { TableScroll } from "../parts/TableScroll.tsx";
import { useOnce } from "../parts/useOnce.ts";
import { may } from "../staff.ts";
import { plans, type Brief, type Making, type Whole } from "./api.ts";
import { KIND_COLOURS, PlanMap } from "./PlanMap.tsx";
import { PriceCurve } from "./PriceCurve.tsx";
import { WishForm } from "./WishForm.tsx";

const listed = signal<Brief[]>([]);
const making = signal<Making | null>(null);
const FORMS = [
  ["plan.xlsx", "plan.file_xlsx"],
  ["plan.pdf", "plan.file_pdf"],
  ["plan.html", "plan.file_html"],
  ["posts.geojson", "plan.file_geojson"],
] as const satisfies readonly (readonly [string, Key])[];

const isMade = (): boolean => making.value !== null && !making.value.stopped && making.value.fault === null;

const refresh = inOrder(plans.list, (now) =>
  batch(() => {
    listed.value = now.plans;
    making.value = now.making;
  }),
);

/** It has begun: whatever was asked before that knows nothing of it. */
function begun(one: Making): void {
  refresh.skip();
  making.value = one;
}

const refreshed = (): void => void refresh().catch((fault: unknown) => say(told(fault)));

following.add(({ kind, body }) => {
  if (kind === "change" && (body as { kind: string }).kind === "plan") refreshed();
});

/** Where units wait: asked for, solved beside, and kept. */
export function PlanPage() {
  const id = address.value.id || listed.value[0]?.id || "";
  useEffect(() => {
    refreshed();
    const clock = setInterval(() => isMade() && !document.hidden && refreshed(), 1_000);
    return () => clearInterval(clock);
  }, []);
  return (
    <main class="plans" id="plans" tabIndex={-1}>
      <aside class="plans-side">
        {may("units.act", true) ? (
          <WishForm busy={isMade()} begun={begun}>
            <Progress />
          </WishForm>
        ) : (
          <Progress />
        )}
        <h2>{t("plan.kept_plans")}</h2>
        {listed.value.length === 0 && <p class="empty">{t("plan.none")}</p>}
        <ul class="plan-list" data-test="plan-list">
          {listed.value.map((one) => (
            <li key={one.id}>
              <a href={hrefOf("plans", {}, one.id)} aria-current={one.id === id ? "page" : undefined}>
                <strong>{one.id}</strong>
                <span class="quiet" data-test="plan-made">
                  {t("plan.made_at", { time: momentOf(one.made_at) })}
                </span>
                <span>{t("plan.brief", { hours: one.unit_hours.toFixed(0), vehicles: one.wish.vehicles })}</span>
                <span class={one.kept ? "quiet" : "is-short"}>{t(one.kept ? "plan.is_kept" : "plan.is_short")}</span>
              </a>
            </li>
          ))}
        </ul>
      </aside>
      {id ? <Shown key={id} id={id} /> : <First />}
    </main>
  );
}

/** What stands here while there is no plan: what one tells, and how it is come by. */
function First() {
  return (
    <section class="plan-body plan-first" data-test="plan-first">
      <h2>{t("plan.first")}</h2>
      <p>{t(may("units.act", true) ? "plan.first_ask" : "plan.first_wait")}</p>
      <ul>
        {(["where", "when", "who", "price", "files"] as const).map((one) => (
          <li key={one}>{t(`plan.tells.${one}`)}</li>
        ))}
      </ul>
    </section>
  );
}

function Progress() {
  const now = making.value;
  const { busy, once } = useOnce();
  if (now === null) return null;
  if (now.fault !== null)
    return (
      <div data-test="plan-fault">
        <Refusal fault={faultFrom(now.fault)} />
      </div>
    );
  if (now.stopped) return <p data-test="plan-stopped">{t("plan.stopped")}</p>;
  const doing = `plan.doing.${now.doing.replaceAll(" ", "_")}`;
  const stop = (): Promise<void> => plans.stop().then(refreshed, (fault: unknown) => say(told(fault)));
  return (
    <div class="plan-making" data-test="plan-making">
      <label>
        <span>{known(doing) ? t(doing) : t("plan.doing.begun")}</span>
        <progress value={now.share} max={1} />
      </label>
      {may("units.act", true) && (
        <button type="button" class="plain" aria-busy={busy} onClick={() => void once(stop)} data-test="plan-stop">
          {t("plan.stop")}
        </button>
      )}
    </div>
  );
}

function Shown({ id }: { id: string }) {
  const [whole, setWhole] = useState<Whole | null>(null);
  const [period, setPeriod] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => {
    plans.one(id).then(
      (found) => {
        setWhole(found);
        setPeriod(found.plan.vehicles.period);
      },
      setFault,
    );
  }, [id]);
  if (fault !== null)
    return (
      <section class="plan-body">
        <Refusal fault={fault} />
      </section>
    );
  if (!whole) return <p class="empty">{t("app.loading")}</p>;
  const tables = whole.facts[lang.value] ?? [];
  const names = new Map((tables[0]?.[1] ?? []).slice(1).map((row, k) => [whole.plan.periods[k]?.period ?? "", row[0] ?? ""]));
  const kinds = [...new Set(whole.plan.periods.flatMap((one) => one.posts.map((spot) => spot.kind)))];
  return (
    <section class="plan-body" data-test="plan-body">
      <header>
        <h2>{t("plan.title", { id })}</h2>
        <label class="plan-period">
          <span>{t("plan.period")}</span>
          <select value={period} onChange={(change) => setPeriod(change.currentTarget.value)} data-test="plan-period">
            {whole.plan.periods.map((one) => (
              <option key={one.period} value={one.period}>
                {names.get(one.period) || one.period}
              </option>
            ))}
          </select>
        </label>
        <span class="plan-files">
          {FORMS.map(([form, name]) => (
            <a key={form} class="plain" href={plans.fileOf(id, form, lang.value)} download data-test={`file-${form.split(".").pop()}`}>
              {t(name)}
            </a>
          ))}
        </span>
      </header>
      <PlanMap whole={whole} period={period} />
      <p class="plan-key">
        {kinds.map((kind) => (
          <span key={kind}>
            <i style={{ background: KIND_COLOURS[kind] }} /> {t(`plan.kind.${kind}` as Key)}
          </span>
        ))}
        <span>
          <b class="plan-vehicle">1</b> {t("plan.best", { n: whole.plan.vehicles.posts.length })}
        </span>
        {whole.plan.vehicles.shares.map((one) => (
          <span key={one.minutes}>{t("plan.share", { minutes: one.minutes, share: (100 * one.share).toFixed(0) })}</span>
        ))}
      </p>
      <div class="prices">
        <PriceCurve steps={whole.plan.by_units} of="units" name="price-units" />
        <PriceCurve steps={whole.plan.by_minutes} of="minutes" name="price-minutes" />
      </div>
      {tables.map(([title, rows]) => (
        <div class="plan-table" key={title}>
          <h3>{title}</h3>
          <TableScroll name={title}>
            <table>
              <thead>
                <tr>
                  {(rows[0] ?? []).map((cell, k) => (
                    <th key={k} scope="col">
                      {cell}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.slice(1).map((row, n) => (
                  <tr key={n}>
                    {row.map((cell, k) => (
                      <td key={k}>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </TableScroll>
        </div>
      ))}
    </section>
  );
}
