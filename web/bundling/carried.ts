import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const SWAGGER = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

interface Manifest {
  name: string;
  version: string;
  license?: string;
  dependencies?: Record<string, string>;
}

/** Carry along what is not imported: the API browser, and the licences of everything that is bundled. */
export function carried(root: string): Plugin {
  const modules = join(root, "node_modules");
  return {
    name: "carried",
    apply: "build",
    generateBundle() {
      for (const file of SWAGGER) {
        const source = readFileSync(join(modules, "swagger-ui-dist", file));
        this.emitFile({ type: "asset", fileName: `swagger/${file}`, source });
      }
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY.txt", source: licences(root, modules) });
    },
  };
}

/** The licence texts of the packages that the page needs, and of those that they need. */
function licences(root: string, modules: string): string {
  const needed = new Set<string>();
  const open = Object.keys(manifestOf(root).dependencies ?? {});
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (needed.has(name) || !existsSync(join(modules, name))) continue;
    needed.add(name);
    open.push(...Object.keys(manifestOf(join(modules, name)).dependencies ?? {}));
  }
  const parts = [...needed].sort().map((name) => {
    const folder = join(modules, name);
    const { version, license } = manifestOf(folder);
    const texts = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file) || /\.LICENSE\.txt$/.test(file))
      .map((file) => readFileSync(join(folder, file), "utf8").trim());
    return [`${name} ${version} (${license ?? "see below"})`, ...texts].join("\n\n");
  });
  return `The page carries these works of others, each under its own licence.\n\n${parts.join(`\n\n${"-".repeat(78)}\n\n`)}\n`;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
