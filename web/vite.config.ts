import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { carried } from "./bundling/carried.ts";
import { fontFaces } from "./bundling/font-faces.ts";

const root = fileURLToPath(new URL(".", import.meta.url));

export default defineConfig({
  root,
  base: "/",
  logLevel: "warn",
  plugins: [fontFaces(), carried(root)],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../src/anlan/command/static", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's security policy takes files of its own host, not data: addresses
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    reportCompressedSize: false,
  },
  worker: { format: "es", plugins: () => [fontFaces()] },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/openapi.json": "http://127.0.0.1:8000" } },
});
