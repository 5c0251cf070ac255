import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api.ts";
import type { Band, Polygon, Tried, Trying } from "../shapes.ts";
import { changes, place, selection, showChanges, told } from "../desk.ts";
import { density, integer, named, people, t, timeOf } from "../i18n.ts";
import { may } from "../staff.ts";
import { Curve, type Line } from "./Curve.tsx";
import { useAsked } from "./useAsked.ts";

const KINDS = ["closure", "one_way", "metering", "staged_crossing", "skip_stop", "extra_exit"] as const;
type Kind = (typeof KINDS)[number];
const POINTS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;
const MOST = 6;

/** A measure, tried on the present estimate before anybody orders it: what it changes within the hour. */
export function TryPanel({ of, where }: { of: string; where: { place: string } | { polygon: Polygon } }) {
  const kind = useSignal<Kind>("metering");
  const made = useSignal<Tried | null>(null);
  const fault = useSignal("");
  const busy = useSignal(false);
  const open = useSignal(false);
  const shown = useRef<Tried | null>(null);
  const round = useRef(0);
  /** Whatever was tried was tried of something else than what stands here now, and so is what is still asked for. */
  const clear = (): void => {
    round.current += 1;
    made.value = null;
    fault.value = "";
    busy.value = false;
    if (shown.current) showChanges(null);
    shown.current = null;
  };
  useEffect(() => () => void (selection.peek() !== null && clear()), [of]); // a card that is closed leaves the map to be looked at
  if (!may("crowd.read", true)) return null;
  const submit = async (sent: SubmitEvent): Promise<void> => {
    sent.preventDefault();
    const given = new FormData(sent.currentTarget as HTMLFormElement);
    const measure: Trying = kind.value === "skip_stop" ? { kind: kind.value } : { kind: kind.value, ...where };
    for (const name of ["per_minute", "bearing_deg", "open_s", "cycle_s", "width_m"] as const) {
      const text = given.get(name);
      if (text !== null) measure[name] = Number(text);
    }
    const gateway = given.get("gateway");
    if (gateway !== null) measure.gateway = String(gateway);
    if (busy.peek()) return;
    clear();
    const mine = round.current;
    busy.value = true;
    try {
      const answer = await api.whatIf(measure);
      if (mine !== round.current) return;
      made.value = shown.current = answer;
      showChanges(answer);
    } catch (error) {
      if (mine === round.current) fault.value = told(error);
    } finally {
      if (mine === round.current) busy.value = false;
    }
  };
  return (
    <details class="why try" open={open.value} onToggle={(toggled) => (open.value = toggled.currentTarget.open)} data-test="try">
      <summary>{t("try.title")}</summary>
      {open.value && (
        <form class="try-form" onSubmit={(sent) => void submit(sent)} onInput={clear}>
          <label>
            <span>{t("try.measure")}</span>
            <select value={kind.value} onChange={(change) => (kind.value = change.currentTarget.value as Kind)} data-test="try-kind">
              {KINDS.map((one) => (
                <option key={one} value={one}>
                  {t(`measure.${one}`)}
                </option>
              ))}
            </select>
          </label>
          <Details kind={kind.value} />
          <button type="submit" class="primary" aria-busy={busy.value} data-test="try-go">
            {t(busy.value ? "try.busy" : "try.go")}
          </button>
        </form>
      )}
      <div aria-live="polite">
        {fault.value && (
          <p class="empty is-error" role="alert">
            {fault.value}
          </p>
        )}
        {made.value && <Outcome key={of} made={made.value} own={"place" in where ? where.place : null} />}
      </div>
    </details>
  );
}

/** What a kind of measure needs to be told. */
function Details({ kind }: { kind: Kind }) {
  if (kind === "metering") return <Figure name="per_minute" label={t("try.per_minute")} value={60} least={1} most={3000} />;
  if (kind === "extra_exit") return <Figure name="width_m" label={t("try.width")} value={4} least={1} most={50} />;
  if (kind === "staged_crossing")
    return (
      <>
        <Figure name="open_s" label={t("try.open")} value={40} least={5} most={600} />
        <Figure name="cycle_s" label={t("try.cycle")} value={120} least={10} most={1200} />
      </>
    );
  if (kind === "one_way")
    return (
      <label>
        <span>{t("try.towards")}</span>
        <select name="bearing_deg">
          {POINTS.map((point, k) => (
            <option key={point} value={45 * k}>
              {t(`compass.${point}`)}
            </option>
          ))}
        </select>
      </label>
    );
  if (kind === "skip_stop") return <Stations />;
  return null;
}

/** The entrances of the metro: trains can skip nothing else. */
function Stations() {
  const { answer, error } = useAsked("gateways", 0, () => api.layer("gateways"));
  if (error) return <p class="empty is-error">{error}</p>;
  return (
    <label>
      <span>{t("try.gateway")}</span>
      <select name="gateway" required>
        {(answer?.features ?? [])
          .filter((one) => one.properties?.kind === "metro")
          .map(({ properties }) => (
            <option key={String(properties!.id)} value={String(properties!.id)}>
              {named({ zh: String(properties!.name_zh ?? ""), en: String(properties!.name_en ?? "") }, String(properties!.id))}
            </option>
          ))}
      </select>
    </label>
  );
}

function Figure({ name, label, value, least, most }: { name: string; label: string; value: number; least: number; most: number }) {
  return (
    <label>
      <span>{label}</span>
      <input name={name} type="number" defaultValue={String(value)} min={least} max={most} required />
    </label>
  );
}

/** The difference to doing nothing, in words, in a curve and place by place. */
function Outcome({ made, own }: { made: Tried; own: string | null }) {
  const changed = made.places.filter((one) => one.difference !== null && Math.abs(one.difference.mean) >= 10);
  const most = [...changed].sort((a, b) => Math.abs(b.difference!.mean) - Math.abs(a.difference!.mean)).slice(0, MOST);
  const here = made.places.find((one) => one.id === own) ?? most[0];
  return (
    <div class="try-outcome" data-test="try-outcome">
      {made.cut_off > 0 && (
        <p class="is-error" role="alert">
          {t("try.cut_off", { n: integer(made.cut_off), places: made.cut_off_places.map((id) => named(place(id)?.name, id)).join(", ") || "–" })}
        </p>
      )}
      <dl class="facts">
        <Changed label={t("try.under_way")} band={made.under_way} />
        <Changed label={t("try.turned_away")} band={made.turned_away} />
        {here?.peak_under_per_m2 && here.peak_without_per_m2 && (
          <div>
            <dt>{t("try.peak", { place: named(place(here.id)?.name, here.id) })}</dt>
            <dd>
              {density(here.peak_without_per_m2.mean)} → {density(here.peak_under_per_m2.mean)}
            </dd>
          </div>
        )}
      </dl>
      {here?.curve && <Both at={made.at} curve={here.curve} title={named(place(here.id)?.name, here.id)} />}
      {most.length === 0 ? (
        <p class="empty">{t("try.nothing")}</p>
      ) : (
        <table class="table">
          <caption class="quiet">{t("try.by_place", { minutes: integer(made.minutes) })}</caption>
          <tbody>
            {most.map((one) => (
              <tr key={one.id}>
                <th scope="row">{named(place(one.id)?.name, one.id)}</th>
                <td class="number">{signed(one.difference!.mean)}</td>
                <td class="number quiet">{range(one.difference!)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="quiet">{t("try.note", { members: integer(made.n_members) })}</p>
      {changes.value && (
        <button type="button" class="link" onClick={() => showChanges(null)} data-test="try-clear">
          {t("try.clear")}
        </button>
      )}
    </div>
  );
}

function Changed({ label, band }: { label: string; band: Band }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {signed(band.mean)} <span class="quiet">{range(band)}</span>
      </dd>
    </div>
  );
}

const signed = (n: number): string => `${n > 0 ? "+" : n < 0 ? "−" : "±"}${people(Math.abs(n))}`;
const range = ({ low, high }: Band): string => `${signed(low)} … ${signed(high)}`;

/** People with and without the measure, minute by minute from now on. */
function Both({ at, curve, title }: { at: string; curve: NonNullable<Tried["places"][number]["curve"]>; title: string }) {
  const begin = Date.parse(at) / 1e3;
  const column = (points: ([number, number, number] | null)[], k: number) => points.map((point) => point?.[k] ?? null);
  const lines: Line[] = [
    { label: t("try.under"), colour: "--accent", values: column(curve.under, 0) },
    { label: t("try.without"), colour: "--second", dash: [6, 4], values: column(curve.without, 0) },
  ];
  const caption = t("try.curve", { place: title, time: timeOf(at) });
  return <Curve at={curve.under.map((_, k) => begin + 60 * (k + 1))} lines={lines} band={{ low: column(curve.under, 1), high: column(curve.under, 2) }} caption={caption} />;
}
