import "@fontsource-variable/noto-sans-sc/index.css";
import { render } from "preact";
import { App } from "./App.tsx";
import { open } from "./desk.ts";
import "./desk.css";
import "./reach.css";
import "./cases/cases.css";
import "./plan/plan.css";
import "./community/community.css";
import "./indicators/indicators.css";
import "./underway/underway.css";

render(<App />, document.getElementById("desk")!);
addEventListener("hashchange", () => /^#(enter|first)=/.test(location.hash) && location.reload());
void open();
