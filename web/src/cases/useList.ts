import { useEffect, useRef, useState } from "preact/hooks";
import { cases, type Brief } from "./api.ts";
import { PART } from "./filter.ts";
import { rounds } from "./known.ts";

export interface Listed {
  cases: Brief[];
  next: string | null;
  fault: unknown;
  busy: boolean;
  more: () => Promise<void>;
}

const MOST = 200;
const NOTHING = { cases: [] as Brief[], next: null as string | null, fault: null as unknown, busy: true };

/**
 * A list that grows part by part. What the live stream tells makes it read again as far as it was read, so it stays
 * true without ever reading all.
 */
export function useList(filter: URLSearchParams, order: string, size = PART): Listed {
  const key = `${filter.toString()}&${order}`;
  const [state, setState] = useState({ ...NOTHING, key });
  const current = useRef(key);
  current.current = key;
  const shown = useRef(0);
  const turns = useRef({ asked: 0, taken: 0 }); // what was asked for earlier may be answered later
  const read = async (after: string, limit: number): Promise<{ cases: Brief[]; next: string | null }> => {
    const asked = new URLSearchParams(filter);
    asked.set("order", order);
    asked.set("limit", String(limit));
    if (after) asked.set("after", after);
    return cases.list(asked);
  };
  const begin = async (upTo: number): Promise<void> => {
    const mine = ++turns.current.asked;
    const isNewest = (): boolean => {
      if (current.current !== key || mine < turns.current.taken) return false;
      turns.current.taken = mine;
      return true;
    };
    try {
      const found: Brief[] = [];
      let next: string | null = "";
      do {
        const part: { cases: Brief[]; next: string | null } = await read(next, Math.min(MOST, Math.max(size, upTo - found.length)));
        found.push(...part.cases);
        next = part.next;
      } while (next !== null && found.length < upTo);
      if (!isNewest()) return;
      shown.current = found.length;
      setState({ cases: found, next, fault: null, busy: false, key });
    } catch (fault) {
      if (isNewest()) setState((was) => ({ cases: was.key === key ? was.cases : [], next: null, fault, busy: false, key }));
    }
  };
  useEffect(() => {
    shown.current = 0;
    void begin(size);
  }, [key]);
  const news = rounds.value;
  const heard = useRef(news);
  useEffect(() => {
    if (news !== heard.current) void begin(Math.max(size, shown.current));
    heard.current = news;
  }, [news]);
  const more = async (): Promise<void> => {
    const after = state.next;
    if (after === null || state.busy) return;
    setState((was) => ({ ...was, busy: true }));
    try {
      const part = await read(after, size);
      setState((was) => {
        if (was.key !== key) return was;
        const known = new Set(was.cases.map((one) => one.id));
        const all = [...was.cases, ...part.cases.filter((one) => !known.has(one.id))];
        shown.current = all.length;
        return { cases: all, next: part.next, fault: null, busy: false, key };
      });
    } catch (fault) {
      setState((was) => ({ ...was, fault, busy: false }));
    }
  };
  return state.key === key ? { ...state, more } : { ...NOTHING, more };
}
