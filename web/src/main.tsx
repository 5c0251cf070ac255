import "@fontsource-variable/noto-sans-sc/index.css";
import { render } from "preact";
import { App } from "./App.tsx";
import { open } from "./desk.ts";
import "./desk.css";

render(<App />, document.getElementById("desk")!);
void open();
