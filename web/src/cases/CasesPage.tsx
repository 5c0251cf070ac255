import { useEffect } from "preact/hooks";
import { t, type Key } from "../i18n.ts";
import { Icon } from "../parts/Icon.tsx";
import { KeysButton, KeysHelp, useKeys, type Shortcut } from "../parts/Keys.tsx";
import { address, go, hrefOf, listAddress, type Page } from "./address.ts";
import { BoardPage } from "./BoardPage.tsx";
import { CalendarPage } from "./CalendarPage.tsx";
import { CasePage, copyAddress } from "./CasePage.tsx";
import { kinds, knownFault, learn } from "./known.ts";
import { CheckPage } from "./CheckPage.tsx";
import { ListPage } from "./ListPage.tsx";
import { MigratePage } from "./MigratePage.tsx";
import { NewCasePage, RoutePage } from "./NewCasePage.tsx";
import { SheetPage } from "./SheetPage.tsx";

const TABS: readonly { page: Page; key: Key }[] = [
  { page: "list", key: "cases.list" },
  { page: "board", key: "cases.board" },
  { page: "calendar", key: "cases.calendar" },
  { page: "route", key: "cases.route" },
  { page: "check", key: "papers.check" },
];
const SHORTCUTS: readonly Shortcut[] = [
  ["/", "keys.search"],
  ["J  K", "keys.move"],
  ["Enter", "keys.open"],
  ["N", "keys.new"],
  ["L  B  C", "keys.pages"],
  ["Esc", "keys.back"],
  ["?", "keys.help"],
];

/** Everything about cases: the pages, the way between them, and the keys that all of them know. */
export function CasesPage() {
  const { help, setHelp } = useKeys(press);
  useEffect(() => void learn(), []);
  const { page, id, ask } = address.value;
  const openable = kinds.value.some((one) => one.may_open);
  return (
    <main class="cases" id="cases" tabIndex={-1}>
      <nav class="cases-nav" aria-label={t("cases.pages")}>
        {TABS.map((one) => (
          <a key={one.page} href={one.page === "list" ? listAddress.value : hrefOf(one.page)} aria-current={page === one.page ? "page" : undefined} data-test={`cases-${one.page}`}>
            {t(one.key)}
          </a>
        ))}
        <span class="cases-nav-end">
          <button type="button" class="plain" onClick={() => void copyAddress()}>
            {t("cases.copy")}
          </button>
          <KeysButton open={() => setHelp(true)} />
          {openable && (
            <a class="primary" href={hrefOf("new")} aria-label={t("cases.new")} data-test="new-case">
              <Icon name="plus" size={16} />
              <span>{t("cases.new")}</span>
            </a>
          )}
        </span>
      </nav>
      {page === "board" && <h2 class="sr-only">{t("cases.board")}</h2>}
      {knownFault.value && (
        <p class="refusal" role="alert">
          {knownFault.value}{" "}
          <button type="button" class="plain" onClick={() => void learn()}>
            {t("cases.again")}
          </button>
        </p>
      )}
      {kinds.value.length === 0 ? (
        !knownFault.value && <p class="empty">{t("app.loading")}</p>
      ) : (
        <>
          {page === "list" && <ListPage />}
          {page === "board" && <BoardPage />}
          {page === "calendar" && <CalendarPage />}
          {page === "route" && <RoutePage />}
          {page === "new" && <NewCasePage key={ask.toString()} />}
          {page === "import" && <SheetPage key={ask.toString()} />}
          {page === "migrate" && <MigratePage />}
          {page === "check" && <CheckPage />}
          {page === "case" && <CasePage key={id} id={id} />}
        </>
      )}
      {help && <KeysHelp shortcuts={SHORTCUTS} close={() => setHelp(false)} />}
    </main>
  );
}

/** Do what a key stands for; tell whether it stands for anything. */
function press(key: string): boolean {
  const search = document.getElementById("case-search");
  if (key === "/" && search) search.focus();
  else if (key === "/") go(listAddress.value);
  else if (key === "n" && kinds.value.some((one) => one.may_open)) go(hrefOf("new"));
  else if (key === "l") go(listAddress.value);
  else if (key === "b") go(hrefOf("board"));
  else if (key === "c") go(hrefOf("calendar"));
  else if (key === "Escape" && address.peek().page === "case") go(listAddress.value);
  else return false;
  return true;
}
