import { useEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";

/** A dialog that is open as long as it is there. It is closed before it goes, so that the focus returns to what opened it. */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const box = dialog.current!;
    box.showModal();
    return () => box.close();
  }, []);
  return dialog;
}
