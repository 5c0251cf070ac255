/** A key that a request is known by, so that it may be sent again when its answer did not come. */
export const newKey = (): string => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");

/** Runs work unless the work before it is still under way; then nothing is begun, and nothing is told. */
export type Once = <T>(work: () => Promise<T>) => Promise<T | undefined>;

/** One thing at a time: a second press while the first is under way is no second order. `tell` hears whether something is. */
export function oneAtATime(tell: (busy: boolean) => void): Once {
  let busy = false;
  return async (work) => {
    if (busy) return undefined;
    busy = true;
    tell(true);
    try {
      return await work();
    } finally {
      busy = false;
      tell(false);
    }
  };
}
