/** Where in the desk somebody is. It stands in the address, so that every page, case and filter can be handed on. */

import { signal } from "@preact/signals";

export type Section = "map" | "cases" | "community" | "indicators" | "plans";
export type Page =
  | "map" | "list" | "board" | "calendar" | "new" | "route" | "case" | "import" | "migrate" | "check" | "indicators" | "plans"
  | "volunteers" | "shifts" | "callouts" | "points";

export interface Address {
  page: Page;
  /** Of the case, shift, call-out or indicator, where one is shown. */
  id: string;
  ask: URLSearchParams;
}

const OF_CASES: readonly string[] = ["board", "calendar", "new", "route", "import", "migrate", "check"];
const OF_COMMUNITY: readonly string[] = ["volunteers", "shifts", "callouts", "points"];

export function sectionOf(page: Page): Section {
  if (page === "map" || page === "indicators" || page === "plans") return page;
  return OF_COMMUNITY.includes(page) ? "community" : "cases";
}

function read(): Address {
  const [path = "", ask = ""] = location.hash.slice(1).split("?");
  const [, first = "", second = "", third = ""] = path.split("/");
  const found = new URLSearchParams(ask);
  if (first === "plans") return { page: "plans", id: decodeURIComponent(second), ask: found };
  if (first === "indicators") return { page: "indicators", id: decodeURIComponent(second), ask: found };
  if (first === "community") {
    const page = OF_COMMUNITY.includes(second) ? (second as Page) : "volunteers";
    return { page, id: decodeURIComponent(third), ask: found };
  }
  if (first !== "cases") return { page: "map", id: "", ask: found };
  if (second === "") return { page: "list", id: "", ask: found };
  if (OF_CASES.includes(second)) return { page: second as Page, id: "", ask: found };
  return { page: "case", id: decodeURIComponent(second), ask: found };
}

export const address = signal<Address>(read());
addEventListener("hashchange", () => (address.value = read()));

/** The list that somebody came from, to go back to. */
export const listAddress = signal("#/cases");

export function hrefOf(page: Page, ask: Record<string, string> | URLSearchParams = {}, id = ""): string {
  const told = new URLSearchParams(ask).toString();
  return `#${pathOf(page, encodeURIComponent(id))}${told ? `?${told}` : ""}`;
}

function pathOf(page: Page, id: string): string {
  const behind = id ? `/${id}` : "";
  if (page === "map") return "/map";
  if (page === "list") return "/cases";
  if (page === "case") return `/cases/${id}`;
  if (page === "indicators" || page === "plans") return `/${page}${behind}`;
  return sectionOf(page) === "community" ? `/community/${page}${behind}` : `/cases/${page}`;
}

export function go(href: string): void {
  location.hash = href;
}

/**
 * Change what is asked for on the same page: the way back leads past it, not through every letter that was typed.
 * Begins with what the address says, not with what was last drawn: a link that was just followed is told later.
 */
export function ask(change: Record<string, string | null>): void {
  const now = read();
  const asked = new URLSearchParams(now.ask);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === "") asked.delete(name);
    else asked.set(name, value);
  }
  if (asked.toString() === now.ask.toString()) return;
  history.replaceState(null, "", hrefOf(now.page, asked, now.id));
  address.value = read();
}

/** A spot that an address names as `at=lon,lat`, in degrees; null where it names none that there is. */
export function spotIn(asked: URLSearchParams): [number, number] | null {
  const [lon = NaN, lat = NaN] = (asked.get("at") ?? "").split(",").map(Number);
  return asked.get("at") && Math.abs(lon) <= 180 && Math.abs(lat) < 90 ? [lon, lat] : null;
}
