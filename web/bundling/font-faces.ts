import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

const NAME = "virtual:font-faces";
const STYLESHEET = "@fontsource-variable/noto-sans-sc/index.css";

/**
 * The subsets of the bundled font as MapLibre's `font-faces`, read from the font's own stylesheet, so that the map
 * loads the same files as the page and only those whose characters it shows.
 */
export function fontFaces(): Plugin {
  return {
    name: "font-faces",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      const css = readFileSync(createRequire(import.meta.url).resolve(STYLESHEET), "utf8");
      const imports: string[] = [];
      const faces: string[] = [];
      for (const [, block = ""] of css.matchAll(/@font-face\s*{([^}]*)}/g)) {
        const file = /url\(\.\/(files\/[^)]+\.woff2)\)/.exec(block)?.[1];
        const range = /unicode-range:\s*([^;]+);/.exec(block)?.[1];
        if (!file || !range) throw new Error(`${STYLESHEET}: a font face without file or range`);
        const ranges = JSON.stringify(range.split(",").map((part) => part.trim()));
        imports.push(`import file${faces.length} from "@fontsource-variable/noto-sans-sc/${file}?url";`);
        faces.push(`{ url: new URL(file${faces.length}, location.href).href, "unicode-range": ${ranges} }`);
      }
      if (faces.length === 0) throw new Error(`${STYLESHEET}: no font face found`);
      return `${imports.join("\n")}\nexport default [${faces.join(",\n")}];\n`;
    },
  };
}
