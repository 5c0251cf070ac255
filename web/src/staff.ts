/** Who is looking: signed in or not, and what they may do. */

import { computed, signal } from "@preact/signals";
import { api, ApiError, setGuard, whenRefused } from "./api.ts";
import { Door } from "./door.ts";
import { refusalLine } from "./refusals.ts";
import type { Me } from "./shapes.ts";

export const me = signal<Me | null>(null);
/** The token of a link that was opened, until it is used. */
export const firstLink = signal<string>("");
export const entering = signal<string>("");

export const inside = computed(() => me.value?.state === "open" || me.value?.state === "known");

/** Whether somebody has to be asked to sign in again, over whatever they are doing. */
export const lapsed = signal(false);
export const door = new Door((shut) => (lapsed.value = shut));

function take(one: Me): void {
  me.value = one;
  setGuard(one.guard);
}

/** Take who is signed in now; whoever else it is begins with a fresh page: what this one shows may not be theirs to see. */
function takeAgain(one: Me): boolean {
  if (one.account?.id !== me.peek()?.account?.id) {
    location.reload();
    return false;
  }
  take(one);
  door.open();
  return true;
}

/** Ask who is signed in by now, whatever another tab did; false where it is nobody, or somebody else. */
async function look(): Promise<boolean> {
  const one = await api.me();
  return one.state === "unknown" && me.peek()?.account ? false : takeAgain(one);
}

const GUARD = "header x-anlan-guard";
let leaving = false;

whenRefused(async (fault, writes) => {
  if (!me.peek()?.account || leaving) return false;
  if (fault.code === "not_signed_in") return door.knock(writes);
  // signed in anew by another tab: the word that goes along with changes is another one
  return fault.value === GUARD && ((await look()) || door.knock(writes));
});

/** Tells other tabs that somebody signed in or out. */
const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("anlan-signed-in");
const tell = (): void => tabs?.postMessage("changed");

async function heard(): Promise<void> {
  if (me.peek() && !(await look())) void door.knock(false);
}
if (tabs) tabs.onmessage = () => void heard().catch(() => undefined);
if (typeof document !== "undefined")
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && me.peek()?.account) void heard().catch(() => undefined);
  });

/** Ask who we are; a link in the address is used first, and taken out of the address at once. */
export async function enter(): Promise<void> {
  const [what, token] = location.hash.slice(1).split("=");
  if (token && (what === "enter" || what === "first")) {
    history.replaceState(null, "", location.pathname);
    if (what === "first") firstLink.value = token;
    else await api.enter(token).then((one) => (take(one), tell()), (error: unknown) => (entering.value = error instanceof ApiError && error.rule ? refusalLine(error) : String(error)));
  }
  take(await api.me());
}

export async function signIn(name: string, password: string): Promise<void> {
  const one = await api.signIn(name, password);
  tell();
  if (lapsed.peek()) takeAgain(one);
  else take(one);
}

export async function makeFirst(name: string, shown: string, password: string): Promise<void> {
  take(await api.firstAccount(firstLink.value, name, shown, password));
  firstLink.value = "";
  tell();
}

export async function signOut(): Promise<void> {
  leaving = true;
  try {
    await api.signOut();
  } catch (fault) {
    leaving = false;
    if (!(fault instanceof ApiError) || fault.code !== "not_signed_in") throw fault;
  }
  tell();
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
