/** Who is looking: signed in or not, and what they may do. */

import { computed, signal } from "@preact/signals";
import { api, setGuard } from "./api.ts";
import type { Me } from "./shapes.ts";

export const me = signal<Me | null>(null);
/** The token of a link that was opened, until it is used. */
export const firstLink = signal<string>("");
export const entering = signal<string>("");

export const inside = computed(() => me.value?.state === "open" || me.value?.state === "known");

function take(one: Me): void {
  me.value = one;
  setGuard(one.guard);
}

/** Ask who we are; a link in the address is used first, and taken out of the address at once. */
export async function enter(): Promise<void> {
  const [what, token] = location.hash.slice(1).split("=");
  if (token && (what === "enter" || what === "first")) {
    history.replaceState(null, "", location.pathname);
    if (what === "first") firstLink.value = token;
    else await api.enter(token).then(take, (error: Error) => (entering.value = error.message));
  }
  take(await api.me());
}

export async function signIn(name: string, password: string): Promise<void> {
  take(await api.signIn(name, password));
}

export async function makeFirst(name: string, shown: string, password: string): Promise<void> {
  take(await api.firstAccount(firstLink.value, name, shown, password));
  firstLink.value = "";
}

export async function signOut(): Promise<void> {
  await api.signOut();
  location.reload();
}

/** Whether a right is held anywhere; `everywhere` where the whole district is asked for. */
export function may(right: string, everywhere = false): boolean {
  const one = me.value;
  if (!one || one.state === "open") return true;
  return everywhere ? one.rights[right] === "everywhere" : right in one.rights;
}

/** The right without which a part of the page has nothing to show. */
const NEEDED = { cases: "cases.read", indicators: "cases.read", community: "volunteers.read", plans: "units.read" } as const;

export function maySee(section: "map" | keyof typeof NEEDED): boolean {
  return section === "map" || may(NEEDED[section], section === "plans");
}
