import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { District } from "./api.ts";
import { address, hrefOf, spotIn } from "./cases/address.ts";
import { CasesPage } from "./cases/CasesPage.tsx";
import { district, failure, open, toast } from "./desk.ts";
import { lang, named, t } from "./i18n.ts";
import { DeskMap, type MapHandle } from "./map/DeskMap.tsx";
import { Card } from "./parts/Card.tsx";
import { Legend } from "./parts/Legend.tsx";
import { Lists } from "./parts/Lists.tsx";
import { SignIn } from "./parts/SignIn.tsx";
import { Tools } from "./parts/Tools.tsx";
import { SimulationBar, StaleNotice, TopBar } from "./parts/TopBar.tsx";
import { PlanPage } from "./plan/PlanPage.tsx";
import { inside, may, me } from "./staff.ts";

export function App() {
  const map = useSignal<MapHandle | null>(null);
  const opened = district.value;
  const onPlans = address.value.page === "plans" && may("units.read", true);
  const onCases = !["map", "plans"].includes(address.value.page) && may("cases.read");
  const title = [onCases ? t("nav.cases") : onPlans ? t("nav.plans") : "", opened ? named(opened.name) : "", t("app.name")].filter(Boolean).join(" · ");
  useEffect(() => {
    document.documentElement.lang = lang.value === "zh" ? "zh-Hans" : "en";
    document.title = title;
  }, [lang.value, title]);
  if (me.value && !inside.value) return <SignIn then={() => void open()} />;
  if (!opened) return <Waiting />;
  return (
    <div class="desk">
      <a
        class="skip"
        href={location.hash || "#"}
        onClick={(press) => {
          press.preventDefault();
          document.getElementById(onCases ? "cases" : onPlans ? "plans" : "list")?.focus();
        }}
      >
        {t(onCases ? "nav.skip_cases" : onPlans ? "nav.skip_plans" : "app.skip")}
      </a>
      <TopBar district={opened} />
      <SimulationBar />
      {onCases ? <CasesPage /> : onPlans ? <PlanPage /> : <MapPage district={opened} map={map} />}
      {toast.value && (
        <p class="toast" role="alert">
          {toast.value}
        </p>
      )}
    </div>
  );
}

function MapPage({ district: opened, map }: { district: District; map: Signal<MapHandle | null> }) {
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
