import { computed, effect, signal } from "@preact/signals";
import { recall, remember } from "./i18n.ts";

export type Theme = "light" | "dark";
const STORED = "anlan.theme";

const wish = signal<Theme | null>(stored());
const dark = matchMedia("(prefers-color-scheme: dark)");
const system = signal<Theme>(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => (system.value = dark.matches ? "dark" : "light"));

/** The system's theme until the user chooses one. */
export const theme = computed<Theme>(() => wish.value ?? system.value);

function stored(): Theme | null {
  const value = recall(STORED);
  return value === "light" || value === "dark" ? value : null;
}

export function toggleTheme(): void {
  wish.value = theme.value === "dark" ? "light" : "dark";
  remember(STORED, wish.value);
}

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});
