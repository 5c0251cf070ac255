import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Area, CurvePoint, Device, DevicePoint, Estimate, Flow, Forecast, Place, Polygon } from "../shapes.ts";
import { device, drawing, minute, place, refreshWatches, say, selection, slowMinute, told, type Selection } from "../desk.ts";
import { duration, integer, kindOfPlace, momentOf, named, share, t, word } from "../i18n.ts";
import type { MapHandle } from "../map/DeskMap.tsx";
import { incident } from "../reach.ts";
import { anchorOf } from "../map/geometry.ts";
import { Curve, type Line } from "./Curve.tsx";
import { EstimateView } from "./EstimateView.tsx";
import { FlowView } from "./FlowView.tsx";
import { useCardFocus } from "./focus.ts";
import { Icon } from "./Icon.tsx";
import { IncidentView, RaiseForm } from "./IncidentCard.tsx";
import { typing } from "./Keys.tsx";
import { LastHour } from "./LastHour.tsx";
import { rateOf } from "./Lists.tsx";
import { Suspected } from "./Suspected.tsx";
import { DeviceSymbol } from "./Symbol.tsx";
import { TryPanel } from "./TryPanel.tsx";
import { useAsked } from "./useAsked.ts";
import { useOnce } from "./useOnce.ts";
import { WhyPanel } from "./WhyPanel.tsx";

const MINUTES = 60;

/** What is selected, and how many people are there. */
export function Card({ map }: { map: Signal<MapHandle | null> }) {
  const chosen = selection.value;
  if (!chosen) return null;
  if (chosen.kind === "place") return <PlaceCard key={chosen.id} id={chosen.id} />;
  if (chosen.kind === "device") return <DeviceCard key={chosen.id} id={chosen.id} />;
  if (chosen.kind === "area") return <AreaCard key={chosen.id} id={chosen.id} level={chosen.level} map={map} />;
  if (chosen.kind === "line") return <FlowCard line={chosen.line} />;
  if (chosen.kind === "incident") return <IncidentCard key={chosen.id} id={chosen.id} />;
  if (chosen.kind === "raise")
    return (
      <Frame kind={t("raise.label")} title={t("raise.title")}>
        <RaiseForm
          at={chosen.at}
          spotOf={(id) => {
            const outline = map.value?.geometryOf("places", id);
            return outline ? anchorOf(outline) : null;
          }}
        />
      </Frame>
    );
  return <PolygonCard chosen={chosen} />;
}

function Frame({ kind, title, children }: { kind: string; title: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useCardFocus(heading, () => selection.peek() === null);
  const escape = (key: KeyboardEvent): void => {
    if (key.key !== "Escape" || key.defaultPrevented || drawing.value !== "off") return;
    if (typing(key.target) && (key.target as HTMLInputElement).value !== "") return; // what is being written is not thrown away
    selection.value = null;
  };
  return (
    <section class="card" aria-label={title} onKeyDown={escape} data-test="card">
      <header class="card-head">
        <div>
          <p class="quiet">{kind}</p>
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
        </div>
        <button type="button" class="round" aria-label={t("card.close")} onClick={() => (selection.value = null)}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </section>
  );
}

function IncidentCard({ id }: { id: string }) {
  const one = incident(id);
  return (
    <Frame kind={`${t("incident.label")} · ${id}`} title={named(one?.name, id)}>
      <IncidentView id={id} />
    </Frame>
  );
}

function PlaceCard({ id }: { id: string }) {
  const one: Place | undefined = place(id);
  const { answer, error } = useAsked(id, slowMinute.value, () => api.placeCurve(id, MINUTES));
  const next = useAsked<Forecast>(id, slowMinute.value, () => api.placeForecast(id));
  const full = useAsked<Place>(id, minute.value, () => api.place(id)); // the live feed leaves out how fresh it is
  if (!one) return null;
  const estimate = full.answer && full.answer.estimate.at >= one.estimate.at ? full.answer.estimate : one.estimate;
  const kinds = [kindOfPlace(one.kind), one.key ? t("place.key") : "", one.closed ? t("place.closed") : ""];
  return (
    <Frame kind={kinds.filter(Boolean).join(" · ")} title={named(one.name, one.id)}>
      <EstimateView estimate={estimate} capacity={one.capacity} />
      <WhyPanel of={id} estimate={estimate} ask={() => api.placeWhy(id)} />
      <LastHour points={answer} error={error} present={estimate} next={next.answer} />
      <TryPanel of={id} where={{ place: id }} />
    </Frame>
  );
}

function AreaCard({ id, level, map }: { id: string; level: string; map: Signal<MapHandle | null> }) {
  const { answer, error } = useAsked<Area>(`${level}/${id}`, minute.value, () => api.area(level, id));
  const outline = map.value?.geometryOf("areas", id) ?? null;
  const polygon = outline?.type === "Polygon" || outline?.type === "MultiPolygon" ? outline : null;
  const curve = useAsked<CurvePoint[] | null>(`${id}${polygon !== null}`, slowMinute.value, () => (polygon ? api.countCurve(polygon, MINUTES) : Promise.resolve(null)));
  const next = useAsked<Forecast | null>(`${id}${polygon !== null}`, slowMinute.value, () => (polygon ? api.forecast(polygon) : Promise.resolve(null)));
  return (
    <Frame kind={t("area.kind")} title={answer ? named(answer.name, id) : id}>
      {error && <p class="empty is-error">{error}</p>}
      {answer?.estimate && <EstimateView estimate={answer.estimate} />}
      {polygon && <WhyPanel of={id} estimate={answer?.estimate ?? null} ask={() => api.why(polygon)} />}
      {polygon && <LastHour points={curve.answer} error={curve.error} present={answer?.estimate ?? null} next={next.answer} />}
    </Frame>
  );
}

function PolygonCard({ chosen }: { chosen: Extract<Selection, { kind: "polygon" }> }) {
  const key = JSON.stringify(chosen.polygon.coordinates);
  const count = useAsked<Estimate>(key, minute.value, () => api.count(chosen.polygon));
  const curve = useAsked<CurvePoint[]>(key, slowMinute.value, () => api.countCurve(chosen.polygon, MINUTES));
  const next = useAsked<Forecast>(key, slowMinute.value, () => api.forecast(chosen.polygon));
  return (
    <Frame kind={chosen.watch ? t("watch.kind") : t("polygon.kind")} title={chosen.name || t("polygon.title")}>
      <div aria-live="polite">
        {count.error && <p class="empty is-error" role="alert">{count.error}</p>}
        {!count.answer && !count.error && <p class="empty">{t("app.counting")}</p>}
        {count.answer && <EstimateView estimate={count.answer} />}
      </div>
      <WhyPanel of={key} estimate={count.answer} ask={() => api.why(chosen.polygon)} />
      <LastHour points={curve.answer} error={count.error ? "" : curve.error} present={count.answer} next={next.answer} />
      <TryPanel of={key} where={{ polygon: chosen.polygon }} />
      <Keep key={`${chosen.watch?.id ?? "new"}`} polygon={chosen.polygon} chosen={chosen} />
    </Frame>
  );
}

function FlowCard({ line }: { line: GeoJSON.LineString }) {
  const flow = useAsked<Flow>(JSON.stringify(line.coordinates), minute.value, () => api.flow(line));
  return (
    <Frame kind={t("flow.kind")} title={t("flow.title")}>
      <div aria-live="polite">
        {flow.error && <p class="empty is-error" role="alert">{flow.error}</p>}
        {!flow.answer && !flow.error && <p class="empty">{t("app.counting")}</p>}
        {flow.answer && <FlowView flow={flow.answer} line={line} />}
      </div>
    </Frame>
  );
}

/** Whether the pen can hold it: one outline without holes. */
const isSimple = (polygon: Polygon): boolean => polygon.type === "Polygon" && polygon.coordinates.length === 1;

/** Save a polygon as a watch area, change it, or end it. */
function Keep({ polygon, chosen }: { polygon: Polygon; chosen: Extract<Selection, { kind: "polygon" }> }) {
  const [name, setName] = useState(chosen.name);
  const { busy, once } = useOnce();
  const work = (what: () => Promise<void>): Promise<void> =>
    once(async () => {
      try {
        await what();
        await refreshWatches();
      } catch (error) {
        say(told(error));
      }
    });
  const save = (): Promise<void> =>
    work(async () => {
      const kept = await api.watch(name.trim(), polygon);
      // the changed area is kept before the old one ends, so that a failure between the two loses neither
      if (chosen.watch) await api.unwatch(chosen.watch.id, chosen.watch.version);
      selection.value = { kind: "polygon", polygon, name: kept.name, watch: { id: kept.id, version: kept.version } };
      say(t("watch.saved", { name: kept.name }));
    });
  const end = (): Promise<void> =>
    work(async () => {
      if (!chosen.watch || !confirm(t("watch.confirm", { name: chosen.name }))) return;
      await api.unwatch(chosen.watch.id, chosen.watch.version);
      selection.value = null;
    });
  return (
    <form
      class="keep"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        void save();
      }}
    >
      <label>
        <span>{t("watch.name")}</span>
        <input value={name} maxLength={80} required placeholder={t("watch.example")} onInput={(typed) => setName(typed.currentTarget.value)} data-test="watch-name" />
      </label>
      <div class="buttons">
        <button type="submit" class="primary" disabled={name.trim() === ""} aria-busy={busy} data-test="watch-save">
          {chosen.watch ? t("watch.update") : t("watch.save")}
        </button>
        {isSimple(polygon) && (
          <button type="button" class="plain" onClick={() => (drawing.value = "corners")} data-test="corners">
            <Icon name="pen" size={15} /> {t("polygon.corners")}
          </button>
        )}
        {chosen.watch && (
          <button type="button" class="plain danger" aria-busy={busy} onClick={() => void end()} data-test="watch-end">
            <Icon name="bin" size={15} /> {t("watch.end")}
          </button>
        )}
      </div>
    </form>
  );
}

const HOURLY_S = 600;

function DeviceCard({ id }: { id: string }) {
  const one = device(id);
  const slow = (one?.interval_s ?? 60) >= HOURLY_S;
  const minutes = slow ? 2_880 : MINUTES;
  const { answer, error } = useAsked<DevicePoint[]>(id, slowMinute.value, () => api.deviceCurve(id, minutes));
  if (!one) return null;
  const at = one.place ? named(place(one.place)?.name, one.place) : "";
  return (
    <Frame kind={[word("kind", one.kind), at].filter(Boolean).join(" · ")} title={named(one.name, one.id)}>
      <p class="health">
        <DeviceSymbol kind={one.kind} state={one.state} />
        <strong>{word("state", one.state)}</strong>
        <span class="quiet">{one.reason ? word("reason", one.reason) : t("state_note.ok")}</span>
      </p>
      <Suspected of={one.suspicion} />
      <dl class="facts">
        {one.per_minute !== null && (
          <div>
            <dt>{t("device.per_minute")}</dt>
            <dd>{rateOf(one)}</dd>
          </div>
        )}
        <div>
          <dt>{t("device.last")}</dt>
          <dd>{one.last_end_at ? momentOf(one.last_end_at) : t("live.never")}</dd>
        </div>
        <div>
          <dt>{t("device.last_reading")}</dt>
          <dd>{readingOf(one)}</dd>
        </div>
        <div>
          <dt>{t("device.interval")}</dt>
          <dd>{duration(one.interval_s)}</dd>
        </div>
      </dl>
      <section class="hour">
        <h3>{t(slow ? "curve.days" : "curve.hour")}</h3>
        {error && <p class="empty is-error">{error}</p>}
        <DeviceCurve points={answer ?? []} asked={answer !== null} />
      </section>
      <Tally one={one} />
      <p class="quiet mono">{one.id}</p>
    </Frame>
  );
}

function readingOf(one: Device): string {
  const { last } = one;
  if (!last) return "–";
  const told = (["in", "out", "passed", "present"] as const).filter((form) => last[form] !== null && last[form] !== undefined);
  return told.map((form) => t(`reading.${form}`, { n: integer(last[form]!) })).join(" · ") || t("reading.grid");
}

function DeviceCurve({ points, asked }: { points: DevicePoint[]; asked: boolean }) {
  if (points.length < 2) return <p class="empty">{t(asked ? "curve.none" : "app.loading")}</p>;
  const forms = [
    { form: "in", colour: "--accent" },
    { form: "out", colour: "--second", dash: [6, 4] },
    { form: "passed", colour: "--accent" },
    { form: "present", colour: "--accent" },
  ] as const;
  const lines = forms
    .filter(({ form }) => points.some((point) => point[form] !== null && point[form] !== undefined))
    .map((one): Line => ({ label: t(`curve.${one.form}`), colour: one.colour, values: points.map((point) => point[one.form] ?? null), ...("dash" in one ? { dash: [...one.dash] } : {}) }));
  if (lines.length === 0) return <p class="empty">{t("reading.grid")}</p>;
  return <Curve at={points.map((point) => Date.parse(point.at) / 1e3)} lines={lines} caption={t("curve.hour")} />;
}

/** How many observations came, and what was wrong with the others. */
function Tally({ one }: { one: Device }) {
  const { tally } = one;
  if (!tally) return <p class="empty">{t("device.no_tally")}</p>;
  const rows: [string, number][] = [
    [t("tally.accepted"), tally.accepted],
    [t("tally.late"), tally.late],
    [t("tally.out_of_order"), tally.out_of_order],
    [t("tally.duplicate"), tally.duplicate],
    ...Object.entries(tally.refused_by_code).map(([code, n]): [string, number] => [t("tally.refused", { why: word("refusal", code) }), n]),
  ];
  if (tally.refused === 0) rows.push([t("tally.refused_none"), 0]);
  const all = tally.accepted + tally.duplicate + tally.refused;
  return (
    <section class="hour">
      <h3>{t("device.tally")}</h3>
      <table class="table tallied">
        <tbody>
          {rows.map(([what, n], k) => (
            <tr key={what} class={n > 0 && k > 0 ? "is-noted" : ""}>
              <th scope="row">{what}</th>
              <td class="number">{integer(n)}</td>
              <td class="number quiet">{all > 0 ? share(n / all) : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
