import { useEffect } from "preact/hooks";
import { address, go, hrefOf, type Page } from "../cases/address.ts";
import { copyAddress } from "../cases/CasePage.tsx";
import { t, type Key } from "../i18n.ts";
import { KeysButton, KeysHelp, useKeys, type Shortcut } from "../parts/Keys.tsx";
import { kept } from "./asked.ts";
import { CallOutsPage } from "./CallOutsPage.tsx";
import { board, boardFault, learnBoard } from "./known.ts";
import { PointsPage } from "./PointsPage.tsx";
import { ShiftsPage } from "./ShiftsPage.tsx";
import { VolunteersPage } from "./VolunteersPage.tsx";

const TABS: readonly { page: Page; key: Key; letter: string }[] = [
  { page: "volunteers", key: "community.volunteers", letter: "v" },
  { page: "shifts", key: "community.shifts", letter: "s" },
  { page: "callouts", key: "community.call_outs", letter: "c" },
  { page: "points", key: "community.points", letter: "p" },
];
const SHORTCUTS: readonly Shortcut[] = [
  ["J  K", "keys.move"],
  ["Enter", "keys.open"],
  ["N", "keys.new_here"],
  ["V  S  C  P", "keys.community"],
  ["Esc", "keys.back"],
  ["?", "keys.help"],
];

/** Everything about the community: its pages, the way between them, and the keys that all of them know. */
export function CommunityPage() {
  const { help, setHelp } = useKeys(press);
  useEffect(() => void learnBoard(), []);
  const { page, id } = address.value;
  return (
    <main class="cases" id="community" tabIndex={-1}>
      <nav class="cases-nav" aria-label={t("community.pages")}>
        {TABS.map((one) => (
          <a key={one.page} href={hrefOf(one.page)} aria-current={page === one.page ? "page" : undefined} data-test={`community-${one.page}`}>
            {t(one.key)}
          </a>
        ))}
        <span class="cases-nav-end">
          <button type="button" class="plain" onClick={() => void copyAddress()}>
            {t("cases.copy")}
          </button>
          <KeysButton open={() => setHelp(true)} />
        </span>
      </nav>
      <h2 class="sr-only">{t(TABS.find((one) => one.page === page)?.key ?? "nav.community")}</h2>
      {boardFault.value && (
        <p class="refusal" role="alert">
          {boardFault.value}{" "}
          <button type="button" class="plain" onClick={() => void learnBoard()}>
            {t("cases.again")}
          </button>
        </p>
      )}
      {board.value === null ? (
        !boardFault.value && <p class="empty">{t("app.loading")}</p>
      ) : (
        <>
          {page === "volunteers" && <VolunteersPage board={board.value} />}
          {page === "shifts" && <ShiftsPage id={id} board={board.value} />}
          {page === "callouts" && <CallOutsPage id={id} board={board.value} />}
          {page === "points" && <PointsPage />}
        </>
      )}
      {help && <KeysHelp shortcuts={SHORTCUTS} close={() => setHelp(false)} />}
    </main>
  );
}

/** Do what a key stands for; tell whether it stands for anything. */
function press(key: string): boolean {
  const tab = TABS.find((one) => one.letter === key);
  const { page, id, ask } = address.peek();
  if (tab) go(hrefOf(tab.page));
  else if (key === "n" && (page === "shifts" || page === "callouts" || page === "volunteers")) go(hrefOf(page, { new: "1" }));
  else if (key === "Escape" && (id !== "" || ask.has("new"))) go(hrefOf(page, kept(ask)));
  else return false;
  return true;
}
