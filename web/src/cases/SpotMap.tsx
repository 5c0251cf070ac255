import { Marker } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import { standSmall } from "../map/smallMap.ts";

type Spot = [number, number];

/** A small map with one spot. Where it may be picked, a click moves it; the fields beside it do the same by keyboard. */
export function SpotMap({ at, pick }: { at: Spot | null; pick: ((at: Spot) => void) | null }) {
  const box = useRef<HTMLDivElement>(null);
  const stood = useRef<Stood | null>(null);
  const picked = useRef(pick);
  picked.current = pick;
  useEffect(() => {
    stood.current = stand(box.current!, at, (spot) => picked.current?.(spot));
    return () => stood.current?.end();
  }, []);
  useEffect(() => stood.current?.show(at), [at?.[0], at?.[1]]);
  return <div ref={box} class={`spot-map${pick ? " is-picked" : ""}`} role="application" aria-label={t("cases.small_map")} data-loading={t("app.loading")} data-test="spot-map" />;
}

interface Stood {
  show(at: Spot | null): void;
  end(): void;
}

function stand(box: HTMLElement, at: Spot | null, pick: (at: Spot) => void): Stood {
  const { map, end } = standSmall(box, at);
  const marker = new Marker({ color: "#a34a00" });
  const show = (spot: Spot | null): void => {
    if (!spot) return void marker.remove();
    marker.setLngLat(spot).addTo(map);
    if (!map.getBounds().contains(spot)) map.jumpTo({ center: spot, zoom: Math.max(15, map.getZoom()) });
  };
  map.on("click", ({ lngLat }) => pick([Number(lngLat.lng.toFixed(6)), Number(lngLat.lat.toFixed(6))]));
  show(at);
  return { show, end };
}
