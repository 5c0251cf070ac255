import type { Map as MapLibre } from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPolygonMode, TerraDrawSelectMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import type { Polygon } from "../shapes.ts";
import { drawing, selection, type Drawing } from "../desk.ts";
import type { Theme } from "../theme.ts";
import { PALETTES } from "./palette.ts";

type FeatureId = string | number;

/** Drawing a polygon on the map and moving its corners, or drawing a line: terra-draw, kept in step with what the desk has selected. */
export class Drafting {
  /** Told of every finished drawing, and of every finished change of it. */
  drawn: (polygon: Polygon, first: boolean) => void = () => undefined;
  /** Told of every finished line, which the map then draws itself. */
  crossed: (line: GeoJSON.LineString) => void = () => undefined;
  private tool: TerraDraw | null = null;
  private held: FeatureId | null = null;
  private shape: string | null = null;

  constructor(
    private readonly map: MapLibre,
    private readonly theme: () => Theme,
  ) {}

  /** Begin or end drawing. */
  follow(wish: Drawing): void {
    if (wish === "corners") {
      const chosen = selection.peek();
      if (chosen?.kind === "polygon") this.take(chosen.polygon);
      drawing.value = "off";
    } else if (wish === "new" || wish === "line") {
      const tool = this.started();
      tool.clear();
      this.held = this.shape = null;
      tool.setMode(wish === "line" ? "linestring" : "polygon");
      this.map.getCanvas().style.cursor = "crosshair";
    } else if (wish === "off" && this.tool && this.wish()) {
      this.tool.clear();
      this.rest();
    }
  }

  /** What is being drawn. */
  private wish(): "new" | "line" | null {
    const mode = this.tool?.getMode();
    return mode === "polygon" ? "new" : mode === "linestring" ? "line" : null;
  }

  /** Put a polygon under the pen. */
  private take(polygon: Polygon): void {
    if (polygon.type !== "Polygon" || this.holds(polygon)) return;
    const tool = this.started();
    tool.clear();
    const [added] = tool.addFeatures([{ type: "Feature", geometry: rounded(polygon), properties: { mode: "polygon" } }]);
    if (!added?.valid || added.id === undefined) return;
    this.shape = JSON.stringify(polygon.coordinates);
    this.hold(added.id);
    selection.value = { ...selection.peek()! }; // the map's own outline of it goes
  }

  /** Whether that polygon is the one under the pen (then the pen draws it, and nobody else needs to). */
  holds(polygon: Polygon): boolean {
    return this.held !== null && this.shape === JSON.stringify(polygon.coordinates);
  }

  /** Let go of the drawing unless it is what is still selected. */
  keep(polygon: Polygon | null): void {
    if (this.held === null || (polygon && this.holds(polygon))) return;
    this.tool?.clear();
    this.held = this.shape = null;
    if (drawing.peek() === "off") this.rest();
  }

  /** Whether the pen would take a click there. */
  isHeld(point: { x: number; y: number }): boolean {
    if (this.held === null || !this.tool) return false;
    const { lng, lat } = this.map.unproject([point.x, point.y]);
    return this.tool.getFeaturesAtLngLat({ lng, lat }, { pointerDistance: 14 }).length > 0;
  }

  /** Draw again after the map got a new style, which takes every layer with it. */
  restart(dress: () => void): void {
    const snapshot = this.held === null ? null : (this.tool?.getSnapshotFeature(this.held) ?? null);
    const wish = this.wish();
    try {
      this.tool?.stop();
    } catch {
      // its layers went with the old style
    }
    this.tool = this.held = null;
    dress();
    if (wish) this.follow(wish);
    if (snapshot) {
      const tool = this.started();
      const [added] = tool.addFeatures([snapshot]);
      if (added?.valid && added.id !== undefined) this.hold(added.id);
    }
  }

  private rest(): void {
    this.map.getCanvas().style.cursor = "";
    this.tool?.setMode("static");
  }

  private started(): TerraDraw {
    if (this.tool) return this.tool;
    const colour = PALETTES[this.theme()].selected as `#${string}`;
    const halo = PALETTES[this.theme()].halo as `#${string}`;
    const look = { fillColor: colour, fillOpacity: 0.12, outlineColor: colour, outlineWidth: 2.6 } as const;
    const tool = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.map, coordinatePrecision: 7 }),
      modes: [
        new TerraDrawPolygonMode({ styles: { ...look, closingPointColor: halo, closingPointOutlineColor: colour, closingPointOutlineWidth: 2.5, closingPointWidth: 6 } }),
        new TerraDrawLineStringMode({ styles: { lineStringColor: colour, lineStringWidth: 2.6, closingPointColor: halo, closingPointOutlineColor: colour, closingPointOutlineWidth: 2.5, closingPointWidth: 6 } }),
        new TerraDrawSelectMode({
          allowManualDeselection: false,
          styles: {
            selectedPolygonColor: colour,
            selectedPolygonFillOpacity: 0.12,
            selectedPolygonOutlineColor: colour,
            selectedPolygonOutlineWidth: 2.6,
            selectionPointColor: halo,
            selectionPointOutlineColor: colour,
            selectionPointOutlineWidth: 2.5,
            selectionPointWidth: 6,
            midPointColor: colour,
            midPointOutlineColor: halo,
            midPointWidth: 4,
          },
          flags: { polygon: { feature: { draggable: true, coordinates: { midpoints: true, draggable: true, deletable: true } } } },
        }),
      ],
    });
    tool.start();
    tool.on("finish", (id, { action }) => this.finished(id, action === "draw"));
    this.tool = tool;
    return tool;
  }

  private finished(id: FeatureId, first: boolean): void {
    const geometry = this.tool?.getSnapshotFeature(id)?.geometry;
    if (geometry?.type === "LineString") {
      const line: GeoJSON.LineString = { type: "LineString", coordinates: geometry.coordinates };
      setTimeout(() => {
        this.tool?.clear();
        this.rest();
        this.crossed(line);
        drawing.value = "off";
      }, 0);
    }
    if (geometry?.type !== "Polygon") return;
    this.held = id;
    this.shape = JSON.stringify(geometry.coordinates);
    const polygon: Polygon = { type: "Polygon", coordinates: geometry.coordinates };
    // terra-draw is still in its own handler: let it come to rest before its mode changes
    setTimeout(() => {
      if (first) this.hold(id);
      this.drawn(polygon, first);
      drawing.value = "off";
    }, 0);
  }

  private hold(id: FeatureId): void {
    this.held = id;
    this.tool?.setMode("select");
    this.tool?.selectFeature(id);
    this.map.getCanvas().style.cursor = "";
  }
}

/** The pen takes at most seven decimals, a centimetre. */
function rounded(polygon: GeoJSON.Polygon): GeoJSON.Polygon {
  const coordinates = polygon.coordinates.map((ring) => ring.map((at) => [Number(at[0]!.toFixed(7)), Number(at[1]!.toFixed(7))]));
  return { type: "Polygon", coordinates };
}
