import { signal } from "@preact/signals";
import { integer, t } from "../i18n.ts";
import { Icon } from "./Icon.tsx";

/** What the lists are searched for. */
export const sought = signal("");

export function matches(...texts: (string | undefined)[]): boolean {
  const wanted = sought.value.trim().toLowerCase();
  return wanted === "" || texts.some((text) => text?.toLowerCase().includes(wanted));
}

export function Seek() {
  return (
    <label class="seek">
      <Icon name="search" size={15} />
      <input type="search" value={sought.value} placeholder={t("lists.seek")} aria-label={t("lists.seek")} onInput={(typed) => (sought.value = typed.currentTarget.value)} data-test="seek" />
    </label>
  );
}

/** How much of a list the search leaves out: what is not shown is still there. */
export function LeftOut({ n }: { n: number }) {
  return (
    <p class="left-out" role="status">
      {n > 0 && (
        <span data-test="left-out">
          {t("lists.left_out", { n: integer(n) })}{" "}
          <button type="button" class="link" onClick={() => (sought.value = "")} data-test="show-all">
            {t("lists.show_all")}
          </button>
        </span>
      )}
    </p>
  );
}

/** How many rows of a long list are not drawn; the search reaches them. */
export function More({ n }: { n: number }) {
  return n > 0 ? (
    <p class="empty" data-test="more">
      {t("lists.more", { n: integer(n) })}
    </p>
  ) : null;
}
