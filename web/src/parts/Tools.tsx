import type { Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { district, drawing, selection } from "../desk.ts";
import { t } from "../i18n.ts";
import type { MapHandle } from "../map/DeskMap.tsx";
import { lineFrom, polygonFrom } from "../map/geometry.ts";
import { beginRaising, kinds, raiseAt } from "../reach.ts";
import { may } from "../staff.ts";
import { Icon } from "./Icon.tsx";
import { useModal } from "./useModal.ts";

const mayRaise = (): boolean => may("incidents.act") && kinds.value.length > 0;

/** How to ask about a place that has no name: draw it, or type its corners. */
export function Tools({ map }: { map: Signal<MapHandle | null> }) {
  const [typing, setTyping] = useState(false);
  const on = drawing.value === "new";
  const across = drawing.value === "line";
  const spot = drawing.value === "spot";
  useEffect(() => {
    const stop = (key: KeyboardEvent): void => {
      if (key.key === "Escape" && drawing.value !== "off" && drawing.value !== "corners") drawing.value = "off";
      const free = !(key.target instanceof HTMLElement && key.target.matches("input, textarea, select"));
      if (key.key.toLowerCase() === "i" && free && !key.ctrlKey && !key.metaKey && !key.altKey && mayRaise()) beginRaising();
    };
    addEventListener("keydown", stop);
    return () => removeEventListener("keydown", stop);
  }, []);
  return (
    <div class="tools">
      <button type="button" class={`primary${on ? " is-on" : ""}`} aria-pressed={on} onClick={() => (drawing.value = on ? "off" : "new")} data-test="draw">
        <Icon name={on ? "close" : "draw"} size={17} />
        {on ? t("draw.cancel") : t("draw.start")}
      </button>
      <button type="button" class={`plain solid${across ? " is-on" : ""}`} aria-pressed={across} onClick={() => (drawing.value = across ? "off" : "line")} data-test="draw-line">
        <Icon name={across ? "close" : "line"} size={17} />
        {across ? t("draw.cancel") : t("draw.line")}
      </button>
      {mayRaise() && (
        <button type="button" class={`plain solid${spot ? " is-on" : ""}`} aria-pressed={spot} onClick={beginRaising} data-test="raise-start">
          <Icon name={spot ? "close" : "siren"} size={17} />
          {spot ? t("draw.cancel") : t("reach.raise")} <kbd>I</kbd>
        </button>
      )}
      <button type="button" class="plain solid" onClick={() => setTyping(true)} data-test="coordinates">
        {t("draw.type")}
      </button>
      {(on || across || spot) && (
        <p class="tools-hint" role="status">
          {t(on ? "draw.hint" : across ? "draw.line_hint" : "raise.hint")}
          {spot && district.value && (
            <button type="button" class="link" onClick={() => raiseAt(district.value!.centre)} data-test="raise-here">
              {t("raise.without_map")}
            </button>
          )}
        </p>
      )}
      {typing && <Corners map={map} close={() => setTyping(false)} />}
    </div>
  );
}

/** The keyboard's way to a polygon: its corners, typed or pasted. */
function Corners({ map, close }: { map: Signal<MapHandle | null>; close: () => void }) {
  const dialog = useModal();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const take = (): void => {
    const line = lineFrom(text);
    if (line) {
      selection.value = { kind: "line", line };
      map.value?.fly(line);
      return dialog.current?.close();
    }
    const polygon = polygonFrom(text);
    setWrong(polygon === null);
    if (!polygon) return;
    selection.value = { kind: "polygon", polygon, name: "", watch: null };
    map.value?.fly(polygon);
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="dialog" onClose={close} aria-labelledby="corners-title">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          take();
        }}
      >
        <h2 id="corners-title">{t("corners.title")}</h2>
        <p class="quiet">{t("corners.note")}</p>
        <textarea rows={9} value={text} spellcheck={false} aria-label={t("corners.title")} aria-invalid={wrong} placeholder={"121.4905, 31.2402\n121.4921, 31.2402\n121.4921, 31.2385"} onInput={(typed) => setText(typed.currentTarget.value)} data-test="corners-text" />
        {wrong && (
          <p class="is-error" role="alert">
            {t("corners.wrong")}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary" data-test="corners-count">
            {t("corners.count")}
          </button>
          <button type="button" class="plain" onClick={() => dialog.current?.close()}>
            {t("draw.cancel")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
