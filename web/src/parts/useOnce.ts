import { useRef, useState } from "preact/hooks";
import { oneAtATime, type Once } from "../once.ts";

/**
 * For whatever is pressed and changes something: `once` begins it unless it is under way, `busy` goes to `aria-busy`.
 * The button is not disabled meanwhile: whoever pressed it by the keyboard would lose their place.
 */
export function useOnce(): { busy: boolean; once: Once } {
  const [busy, setBusy] = useState(false);
  const made = useRef<Once | null>(null);
  made.current ??= oneAtATime(setBusy);
  return { busy, once: made.current };
}
