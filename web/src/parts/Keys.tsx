/** Keys that pages with lists know: down and up the rows, and a help that names every key. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t, type Key } from "../i18n.ts";
import { useModal } from "./useModal.ts";

export type Shortcut = readonly [keys: string, means: Key];

/** Whether keys belong to what is being written. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select") || target.isContentEditable);
}

const plain = (key: KeyboardEvent): boolean => !key.ctrlKey && !key.metaKey && !key.altKey && !typing(key.target) && !document.querySelector("dialog[open]");

/** Hear the keys of a page: `press` does what one stands for, and tells whether it stands for anything. `?` opens the help. */
export function useKeys(press: (key: string) => boolean): { help: boolean; setHelp: (open: boolean) => void } {
  const [help, setHelp] = useState(false);
  const latest = useRef(press);
  latest.current = press;
  useEffect(() => {
    const heard = (key: KeyboardEvent): void => {
      if (!plain(key)) return;
      if (latest.current(key.key)) key.preventDefault();
      else if (key.key === "?") setHelp(true);
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  }, []);
  return { help, setHelp };
}

/** J and K go down and up the rows in a box; at the last one `last` may read more. */
export function useRowKeys(box: RefObject<HTMLElement | null>, rows: string, last: () => void = () => undefined): void {
  const latest = useRef(last);
  latest.current = last;
  useEffect(() => {
    const heard = (key: KeyboardEvent): void => {
      const by = key.key === "j" ? 1 : key.key === "k" ? -1 : 0;
      if (by === 0 || !plain(key)) return;
      const found = [...(box.current?.querySelectorAll<HTMLElement>(rows) ?? [])];
      const at = found.indexOf(document.activeElement as HTMLElement);
      const to = at < 0 ? 0 : at + by;
      if (to >= found.length - 1) latest.current();
      found[Math.max(0, Math.min(found.length - 1, to))]?.focus();
      key.preventDefault();
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  }, []);
}

export function KeysButton({ open }: { open: () => void }) {
  return (
    <button type="button" class="round" aria-label={t("keys.title")} onClick={open} data-test="keys">
      ?
    </button>
  );
}

export function KeysHelp({ shortcuts, close }: { shortcuts: readonly Shortcut[]; close: () => void }) {
  const dialog = useModal();
  return (
    <dialog ref={dialog} class="dialog" onClose={close} aria-labelledby="keys-title" data-test="keys-help">
      <h2 id="keys-title">{t("keys.title")}</h2>
      <dl class="keys">
        {shortcuts.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="plain" onClick={() => dialog.current?.close()}>
        {t("card.close")}
      </button>
    </dialog>
  );
}
