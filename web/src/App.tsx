import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { district, failure, open, toast } from "./desk.ts";
import { lang, named, t } from "./i18n.ts";
import { DeskMap, type MapHandle } from "./map/DeskMap.tsx";
import { Card } from "./parts/Card.tsx";
import { Legend } from "./parts/Legend.tsx";
import { Lists } from "./parts/Lists.tsx";
import { SignIn } from "./parts/SignIn.tsx";
import { Tools } from "./parts/Tools.tsx";
import { SimulationBar, StaleNotice, TopBar } from "./parts/TopBar.tsx";
import { inside, me } from "./staff.ts";

export function App() {
  const map = useSignal<MapHandle | null>(null);
  const opened = district.value;
  const title = opened ? `${named(opened.name)} · ${t("app.name")}` : t("app.name");
  useEffect(() => {
    document.documentElement.lang = lang.value === "zh" ? "zh-Hans" : "en";
    document.title = title;
  }, [lang.value, title]);
  if (me.value && !inside.value) return <SignIn then={() => void open()} />;
  if (!opened) return <Waiting />;
  return (
    <div class="desk">
      <a class="skip" href="#list">
        {t("app.skip")}
      </a>
      <TopBar district={opened} />
      <SimulationBar />
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
        </section>
        <Card map={map} />
      </main>
      {toast.value && (
        <p class="toast" role="alert">
          {toast.value}
        </p>
      )}
    </div>
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
