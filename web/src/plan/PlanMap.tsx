import { Marker, type GeoJSONSource, type Map as MapLibre } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import { standSmall } from "../map/smallMap.ts";
import type { Whole } from "./api.ts";

const NONE: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
export const KIND_COLOURS: Record<string, string> = { vehicle: "#d7301f", bicycle: "#31a354", foot: "#756bb1" };

interface Stood {
  show(whole: Whole, period: string): void;
  end(): void;
}

/** The plan on the streets: rings of the best vehicles, the posts of a period, and the vehicles by number. */
export function PlanMap({ whole, period }: { whole: Whole; period: string }) {
  const box = useRef<HTMLDivElement>(null);
  const stood = useRef<Stood | null>(null);
  useEffect(() => {
    stood.current = stand(box.current!);
    return () => stood.current?.end();
  }, []);
  useEffect(() => stood.current?.show(whole, period), [whole, period]);
  return <div ref={box} class="plan-map" role="application" aria-label={t("plan.map")} data-test="plan-map" />;
}

function stand(box: HTMLElement): Stood {
  let rings = NONE;
  let posts = NONE;
  let markers: Marker[] = [];
  const dress = (map: MapLibre): void => {
    map.addSource("plan-rings", { type: "geojson", data: rings });
    map.addSource("plan-posts", { type: "geojson", data: posts });
    const fill = ["match", ["get", "minutes"], 1, "#2171b5", 3, "#6baed6", "#9ecae1"] as never;
    map.addLayer({ id: "plan-rings", type: "fill", source: "plan-rings", paint: { "fill-color": fill, "fill-opacity": 0.28 } }, "street-names");
    const colour = ["match", ["get", "kind"], ...Object.entries(KIND_COLOURS).flat(), "#68737b"] as never;
    map.addLayer({
      id: "plan-posts",
      type: "circle",
      source: "plan-posts",
      paint: { "circle-color": colour, "circle-radius": ["+", 3, ["get", "units"]], "circle-stroke-color": "#ffffff", "circle-stroke-width": 1 },
    });
  };
  const small = standSmall(box, null, [], dress);
  return {
    show(whole, period) {
      const of = (what: string) => whole.geojson.features.filter((one) => one.properties?.["what"] === what);
      rings = { type: "FeatureCollection", features: of("ring") };
      posts = { type: "FeatureCollection", features: of("post").filter((one) => one.properties?.["period"] === period) };
      (small.map.getSource("plan-rings") as GeoJSONSource | undefined)?.setData(rings);
      (small.map.getSource("plan-posts") as GeoJSONSource | undefined)?.setData(posts);
      for (const one of markers) one.remove();
      markers = whole.plan.vehicles.posts.map((spot, k) => {
        const element = document.createElement("span");
        element.className = "plan-vehicle";
        element.textContent = String(k + 1);
        element.title = spot.name;
        return new Marker({ element }).setLngLat([spot.lon, spot.lat]).addTo(small.map);
      });
    },
    end: () => small.end(),
  };
}
