/** Where in the desk somebody is. It stands in the address, so that every page, case and filter can be handed on. */

import { signal } from "@preact/signals";

export type Page = "map" | "list" | "board" | "calendar" | "new" | "route" | "case" | "plans";

export interface Address {
  page: Page;
  /** Of the case, where one is shown. */
  id: string;
  ask: URLSearchParams;
}

const PAGES: readonly string[] = ["board", "calendar", "new", "route"];

function read(): Address {
  const [path = "", ask = ""] = location.hash.slice(1).split("?");
  const [, first = "", second = ""] = path.split("/");
  const found = new URLSearchParams(ask);
  if (first === "plans") return { page: "plans", id: decodeURIComponent(second), ask: found };
  if (first !== "cases") return { page: "map", id: "", ask: found };
  if (second === "") return { page: "list", id: "", ask: found };
  if (PAGES.includes(second)) return { page: second as Page, id: "", ask: found };
  return { page: "case", id: decodeURIComponent(second), ask: found };
}

export const address = signal<Address>(read());
addEventListener("hashchange", () => (address.value = read()));

/** The list that somebody came from, to go back to. */
export const listAddress = signal("#/cases");

export function hrefOf(page: Page, ask: Record<string, string> | URLSearchParams = {}, id = ""): string {
  const told = new URLSearchParams(ask).toString();
  if (page === "plans") return `#/plans${id ? `/${encodeURIComponent(id)}` : ""}${told ? `?${told}` : ""}`;
  const path = page === "map" ? "/map" : page === "list" ? "/cases" : page === "case" ? `/cases/${encodeURIComponent(id)}` : `/cases/${page}`;
  return `#${path}${told ? `?${told}` : ""}`;
}

export function go(href: string): void {
  location.hash = href;
}

/** Change what is asked for on the same page: the way back leads past it, not through every letter that was typed. */
export function ask(change: Record<string, string | null>): void {
  const now = address.peek();
  const asked = new URLSearchParams(now.ask);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === "") asked.delete(name);
    else asked.set(name, value);
  }
  history.replaceState(null, "", hrefOf(now.page, asked, now.id));
  address.value = read();
}

/** A spot that an address names as `at=lon,lat`, in degrees; null where it names none that there is. */
export function spotIn(asked: URLSearchParams): [number, number] | null {
  const [lon = NaN, lat = NaN] = (asked.get("at") ?? "").split(",").map(Number);
  return asked.get("at") && Math.abs(lon) <= 180 && Math.abs(lat) < 90 ? [lon, lat] : null;
}
