import { useEffect, useRef, useState } from "preact/hooks";
import { told } from "../desk.ts";

export interface Asked<T> {
  answer: T | null;
  error: string;
}

/**
 * Ask again whenever `key` (the subject) or `round` (the minute) changes. Within one subject the last answer stays on
 * the screen until the next comes; at most one question is under way, and one waits behind it.
 */
export function useAsked<T>(key: string, round: number, ask: () => Promise<T>): Asked<T> {
  const [asked, setAsked] = useState<Asked<T> & { key: string }>({ answer: null, error: "", key });
  const state = useRef({ key, busy: false, again: false, ask });
  state.current.ask = ask;
  if (state.current.key !== key) state.current = { key, busy: false, again: false, ask };
  useEffect(() => {
    const mine = state.current;
    const run = async (): Promise<void> => {
      if (mine.busy) {
        mine.again = true;
        return;
      }
      mine.busy = true;
      try {
        const answer = await mine.ask();
        if (state.current === mine) setAsked({ answer, error: "", key: mine.key });
      } catch (error) {
        if (state.current === mine) setAsked((was) => ({ answer: was.key === mine.key ? was.answer : null, error: told(error), key: mine.key }));
      }
      mine.busy = false;
      if (mine.again && state.current === mine) {
        mine.again = false;
        await run();
      }
    };
    void run();
  }, [key, round]);
  return asked.key === key ? asked : { answer: null, error: "" };
}
