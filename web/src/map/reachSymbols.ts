import type { Incident, Unit } from "../shapes.ts";

export const STATUSES = ["dispatched", "en_route", "on_scene", "returning", "available", "out_of_service"] as const;
export const INCIDENT_STATES = ["waiting", "dispatched", "on_scene", "closed"] as const;
const PX = 24;

export const STATUS_COLOURS: Record<Unit["status"], string> = {
  available: "#0f7d72",
  dispatched: "#b36b00",
  en_route: "#2260c4",
  on_scene: "#7a35c9",
  returning: "#3f7f93",
  out_of_service: "#68737b",
};
export const INCIDENT_COLOURS: Record<Incident["state"], string> = {
  waiting: "#c62222",
  dispatched: "#b36b00",
  on_scene: "#7a35c9",
  closed: "#68737b",
};

/** Marks inside a unit's shape: the status without its colour. */
export const UNIT_MARKS: Record<Unit["status"], string> = {
  available: "M12 12h.01",
  dispatched: "M12 8.500v4M12 15.500v.1",
  en_route: "M8 12h8M13 9l3 3-3 3",
  on_scene: "M8.500 12.300l2.500 2.500 4.500-5",
  returning: "M16 12H8M11 9l-3 3 3 3",
  out_of_service: "M9.300 9.300l5.400 5.400M14.700 9.300l-5.400 5.400",
};

/** A vehicle is a shield, whoever goes on foot a disc. */
export function unitShape(kind: string): string {
  return kind === "vehicle" ? "M5.500 4h13A1.500 1.500 0 0 1 20 5.500v8.500c0 3.500-4 5.500-8 7-4-1.500-8-3.500-8-7V5.500A1.500 1.500 0 0 1 5.500 4z" : "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z";
}

function pen(ratio: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = PX * ratio;
  const made = canvas.getContext("2d")!;
  made.scale(ratio, ratio);
  made.lineJoin = made.lineCap = "round";
  return made;
}

function outlined(on: CanvasRenderingContext2D, shape: string, colour: string): void {
  const path = new Path2D(shape);
  on.lineWidth = 3.6;
  on.strokeStyle = "rgba(10, 20, 26, 0.4)";
  on.stroke(path);
  on.fillStyle = colour;
  on.fill(path);
  on.lineWidth = 1.8;
  on.strokeStyle = "#ffffff";
  on.stroke(path);
}

export function unitImage(kind: string, status: Unit["status"], ratio: number): ImageData {
  const on = pen(ratio);
  outlined(on, unitShape(kind), STATUS_COLOURS[status]);
  on.strokeStyle = "#ffffff";
  on.lineWidth = status === "available" ? 4 : 2.2;
  on.stroke(new Path2D(UNIT_MARKS[status]));
  return on.getImageData(0, 0, PX * ratio, PX * ratio);
}

/** An incident is a square on its corner. */
export const incidentShape = "M12 2 22 12 12 22 2 12z";

/** An incident, with its priority inside. */
export function incidentImage(state: Incident["state"], priority: number, ratio: number): ImageData {
  const on = pen(ratio);
  outlined(on, incidentShape, INCIDENT_COLOURS[state]);
  on.fillStyle = "#ffffff";
  on.font = "bold 11px sans-serif";
  on.textAlign = "center";
  on.textBaseline = "middle";
  on.fillText(String(priority), 12, 12.6);
  return on.getImageData(0, 0, PX * ratio, PX * ratio);
}
