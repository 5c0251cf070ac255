import type { ComponentChildren } from "preact";

/** A table that is wider than its page is scrolled by itself, by keys too, and is named to who hears it. */
export function TableScroll({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="table-scroll" role="group" aria-label={name} tabIndex={0}>
      {children}
    </div>
  );
}
