import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { District } from "./shapes.ts";
import { address, hrefOf, sectionOf, spotIn, type Section } from "./cases/address.ts";
import { CasesPage } from "./cases/CasesPage.tsx";
import { CommunityPage } from "./community/CommunityPage.tsx";
import { district, failure, open, toast } from "./desk.ts";
import { lang, named, t } from "./i18n.ts";
import { IndicatorsPage } from "./indicators/IndicatorsPage.tsx";
import { DeskMap, type MapHandle } from "./map/DeskMap.tsx";
import { useAddress } from "./map/useAddress.ts";
import { Card } from "./parts/Card.tsx";
import { Legend } from "./parts/Legend.tsx";
import { Lists } from "./parts/Lists.tsx";
import { SignIn, SignInAgain } from "./parts/SignIn.tsx";
import { Tools } from "./parts/Tools.tsx";
import { SimulationBar, StaleNotice, TopBar } from "./parts/TopBar.tsx";
import { PlanPage } from "./plan/PlanPage.tsx";
import { inside, maySee, me } from "./staff.ts";

const SKIP = { map: "app.skip", cases: "nav.skip_cases", community: "nav.skip_community", indicators: "nav.skip_indicators", plans: "nav.skip_plans" } as const;

export function App() {
  const map = useSignal<MapHandle | null>(null);
  const opened = district.value;
  const wanted = sectionOf(address.value.page);
  const section: Section = maySee(wanted) ? wanted : "map";
  const title = [section === "map" ? "" : t(`nav.${section}`), opened ? named(opened.name) : "", t("app.name")].filter(Boolean).join(" · ");
  useEffect(() => {
    document.documentElement.lang = lang.value === "zh" ? "zh-Hans" : "en";
    document.title = title;
  }, [lang.value, title]);
  if (me.value && !inside.value) return <SignIn then={() => void open()} />;
  if (!opened) return <Waiting />;
  const content = section === "map" ? "list" : section;
  return (
    <div class="desk">
      <a
        class="skip"
        href={`#${content}`}
        onClick={(press) => {
          press.preventDefault(); // the address says where in the desk somebody is
          document.getElementById(content)?.focus();
        }}
      >
        {t(SKIP[section])}
      </a>
      <TopBar district={opened} />
      <SimulationBar />
      {section === "cases" && <CasesPage />}
      {section === "community" && <CommunityPage />}
      {section === "indicators" && <IndicatorsPage />}
      {section === "plans" && <PlanPage />}
      {section === "map" && <MapPage district={opened} map={map} />}
      <SignInAgain />
      {toast.value && (
        <p class="toast" role="alert">
          {toast.value}
        </p>
      )}
    </div>
  );
}

function MapPage({ district: opened, map }: { district: District; map: Signal<MapHandle | null> }) {
  useAddress(map);
  const spot = spotIn(address.value.ask);
  const shown = address.value.ask.get("case");
  useEffect(() => {
    if (map.value && spot) map.value.fly({ type: "Point", coordinates: spot });
  }, [map.value, spot?.[0], spot?.[1]]);
  return (
    <main class="work">
      <Lists district={opened} map={map} />
      <section class="stage" aria-label={t("map.region")}>
        <DeskMap district={opened} handle={map} />
        <Tools map={map} />
        <StaleNotice />
        <Legend district={opened} />
        {(opened.schematic || named(opened.notice) !== "") && (
          <p class="notice" data-test="notice">
            {named(opened.notice) || t("map.schematic")}
          </p>
        )}
        {shown && (
          <p class="spot-note">
            <a href={hrefOf("case", {}, shown)} data-test="back-to-case">
              ← {t("cases.back_to", { id: shown })}
            </a>
          </p>
        )}
      </section>
      <Card map={map} />
    </main>
  );
}

function Waiting() {
  return (
    <main class="waiting">
      <img src="/icon.svg" alt="" width="56" height="56" />
      <p>{failure.value || t("app.loading")}</p>
      {failure.value && <p class="quiet">{t("app.retrying")}</p>}
    </main>
  );
}
