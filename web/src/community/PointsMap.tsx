import { effect } from "@preact/signals";
import { Popup, type ExpressionSpecification, type GeoJSONSource, type Map as MapLibre } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { lang, named, share, t } from "../i18n.ts";
import { boundsOf } from "../map/geometry.ts";
import { standSmall, type SmallMap } from "../map/smallMap.ts";
import { FONT } from "../map/style.ts";
import { theme, type Theme } from "../theme.ts";
import type { Covered, Point } from "./api.ts";

/** Shares in five steps of one hue, from few to nearly all, so that the order shows without knowing the colours. */
export const STEPS = [0.2, 0.4, 0.6, 0.8] as const;
export const RAMPS: Record<Theme, readonly [string, string, string, string, string]> = {
  light: ["#f3ead9", "#c9dcd5", "#8fc1bd", "#4d9b9f", "#0b6570"],
  dark: ["#3a3327", "#24464a", "#2d6a6e", "#419a9c", "#7fdde2"],
};
const UNKNOWN: Record<Theme, string> = { light: "#c9ccca", dark: "#3b444a" };

interface Shown {
  covered: Covered["areas"];
  property: string;
  points: Point[];
  chosen: string;
}

/** The areas by the share within a walk, and the points; the table beside it says the same. */
export function PointsMap({ choose, ...shown }: Shown & { choose: (id: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const stood = useRef<{ show(now: Shown): void; end(): void } | null>(null);
  const picked = useRef(choose);
  picked.current = choose;
  useEffect(() => {
    stood.current = stand(box.current!, shown, (id) => picked.current(id));
    return () => stood.current?.end();
  }, []);
  useEffect(() => stood.current?.show(shown), [shown.covered, shown.property, shown.points.length, shown.points[0]?.id, shown.chosen]);
  const ramp = RAMPS[theme.value];
  return (
    <figure class="points-figure">
      <div ref={box} class="spot-map points-map" role="application" aria-label={t("community.points_map")} data-loading={t("app.loading")} data-test="points-map" />
      <figcaption class="quiet ramp-legend">
        <span>{t("community.ramp")}</span>
        {ramp.map((colour, k) => (
          <span key={colour} class="ramp-step">
            <i style={{ background: colour }} aria-hidden="true" />
            {k === 0 ? `< ${share(STEPS[0])}` : `≥ ${share(STEPS[k - 1]!)}`}
          </span>
        ))}
        <span class="ramp-step">
          <i style={{ background: UNKNOWN[theme.value] }} aria-hidden="true" />
          {t("unknown.short")}
        </span>
      </figcaption>
    </figure>
  );
}

function colourBy(property: string, of: Theme): ExpressionSpecification {
  const [first, ...rest] = RAMPS[of];
  const steps = STEPS.flatMap((least, k) => [least, rest[k]!]);
  const told = ["get", property];
  return ["case", ["==", ["typeof", told], "number"], ["step", told, first, ...steps], UNKNOWN[of]] as unknown as ExpressionSpecification;
}

function stand(box: HTMLElement, first: Shown, choose: (id: string) => void): { show(now: Shown): void; end(): void } {
  let now = first;
  let popup: Popup | null = null;
  const made: SmallMap = standSmall(box, null, ["areas"], dress);
  const { map } = made;
  function dress(on: MapLibre): void {
    on.setPaintProperty("area-fills", "fill-color", colourBy(now.property, theme.peek()));
    on.setPaintProperty("area-fills", "fill-opacity", 0.66);
    on.addSource("points", { type: "geojson", data: spots(now.points) });
    on.addLayer({ id: "point-dots", type: "circle", source: "points", paint: { "circle-radius": ["case", ["get", "chosen"], 9, 5.5], "circle-color": ["case", ["get", "chosen"], "#c2185b", "#a34a00"], "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.8 } });
    on.addLayer({
      id: "point-names",
      type: "symbol",
      source: "points",
      minzoom: 14,
      layout: { "text-field": ["get", "label"], "text-font": [FONT], "text-size": 11.5, "text-anchor": "top", "text-offset": [0, 0.7], "text-optional": true },
      paint: { "text-color": theme.peek() === "dark" ? "#e6eef2" : "#17252c", "text-halo-color": theme.peek() === "dark" ? "#0d1418" : "#fbfbf8", "text-halo-width": 1.6 },
    });
  }
  const spots = (points: Point[]): GeoJSON.FeatureCollection => ({
    type: "FeatureCollection",
    features: points.map((one) => ({ type: "Feature", geometry: { type: "Point", coordinates: one.at }, properties: { id: one.id, label: named(one.name, one.id), chosen: one.id === now.chosen } })),
  });
  const drawn = (covered: Covered["areas"]): GeoJSON.FeatureCollection => ({ type: "FeatureCollection", features: covered.features.flatMap((one) => (one.geometry ? [{ ...one, geometry: one.geometry }] : [])) });
  const pointsNow = (): void => void (map.getSource("points") as GeoJSONSource | undefined)?.setData(spots(now.points));
  const follow = (before: Shown): void => {
    if (now.chosen === before.chosen || now.chosen === "") return;
    popup?.remove();
    const point = now.points.find((one) => one.id === now.chosen);
    const area = now.covered.features.find((one) => one.properties["id"] === now.chosen);
    if (point) map.easeTo({ center: point.at, zoom: Math.max(15, map.getZoom()), duration: 0 });
    else if (area?.geometry) {
      const [west, south, east, north] = boundsOf(area.geometry);
      const part = area.properties[now.property];
      map.fitBounds([west, south, east, north], { padding: 40, maxZoom: 15.5, duration: 0 });
      const text = `${String(area.properties[`name_${lang.peek()}`] ?? now.chosen)}: ${typeof part === "number" ? share(part) : t("unknown.short")}`;
      popup = new Popup({ closeButton: false }).setLngLat([(west + east) / 2, (south + north) / 2]).setText(text).addTo(map);
    }
  };
  const show = (next: Shown): void => {
    const before = now;
    now = next;
    if (before.covered !== next.covered || before === first) made.put("areas", drawn(next.covered));
    if (map.getLayer("area-fills")) map.setPaintProperty("area-fills", "fill-color", colourBy(next.property, theme.peek()));
    pointsNow();
    follow(before);
  };
  made.put("areas", drawn(first.covered));
  map.on("click", ({ point }) => {
    for (const layer of ["point-dots", "area-fills"]) {
      const found = map.getLayer(layer) ? map.queryRenderedFeatures(point, { layers: [layer] })[0] : undefined;
      if (found) return choose(String(found.properties["id"]));
    }
  });
  const spoken = effect(() => {
    void lang.value;
    pointsNow();
  });
  return {
    show,
    end() {
      spoken();
      made.end();
    },
  };
}
