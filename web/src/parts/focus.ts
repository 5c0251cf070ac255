/** Where the focus goes when something closes: back to what opened it, so that whoever works by keys does not begin anew. */

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

function focused(): HTMLElement | null {
  return document.activeElement instanceof HTMLElement && document.activeElement !== document.body ? document.activeElement : null;
}

/** Give the focus to the first of these that is still there, unless somebody has moved it elsewhere meanwhile. */
function giveBack(...to: (HTMLElement | null)[]): void {
  setTimeout(() => {
    if (focused() === null) to.find((one) => one?.isConnected)?.focus();
  });
}

/** For what comes and goes beside its opener: when `box` goes while the focus is in it, the focus returns to where it was. */
export function useFocusReturn(box: RefObject<HTMLElement | null>): void {
  const from = useRef(focused());
  useEffect(() => {
    const [mine, opener] = [box.current, from.current];
    return () => {
      if (focused() === null || mine?.contains(document.activeElement)) giveBack(opener);
    };
  }, []);
}

/** For what takes the place of its opener: `first` has the focus while it is open, and the opener when it is not any more. */
export function useInstead(open: boolean): { opener: RefObject<HTMLButtonElement | null>; first: RefObject<HTMLInputElement | null> } {
  const opener = useRef<HTMLButtonElement>(null);
  const first = useRef<HTMLInputElement>(null);
  const was = useRef(open);
  useEffect(() => {
    if (open && !was.current) first.current?.focus();
    else if (!open && was.current) giveBack(opener.current);
    was.current = open;
  }, [open]);
  return { opener, first };
}

let chosenFrom: HTMLElement | null = null;

/** For the card, which shows one thing after another: the opener is whatever outside of it was pressed last. */
export function useCardFocus(heading: RefObject<HTMLElement | null>, closed: () => boolean): void {
  useEffect(() => {
    const now = focused();
    if (now && !now.closest(".card")) chosenFrom = now;
    heading.current?.focus({ preventScroll: true });
    return () => {
      if (closed()) giveBack(chosenFrom, document.getElementById("list"));
    };
  }, []);
}
