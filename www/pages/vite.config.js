// SPDX-License-Identifier: MIT
// Builds the pages: relative addresses only, so that they work below any path;
// nothing inline, so that the server's content policy may forbid it; the same
// bytes wherever they are built.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { documents } from "./docs.js";
import { licenses } from "./licenses.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** Each page by the folder it is served as; "" is the first one. */
const pages = {
  home: "", status: "status/", doctor: "doctor/", tasks: "demo/tasks/", editor: "demo/editor/", board: "demo/board/",
  client: "docs/client/", migration: "docs/migration/",
};

/** Puts the header that all pages share where they say `<!-- header -->`. */
const header = () => ({
  name: "roomd-header",
  transformIndexHtml: {
    order: "pre",
    handler(html, { path }) {
      const page = path.replace(/^\//, "").replace(/[^/]+\.html$/, "");
      const root = page.replace(/[^/]+\//g, "../") || "./";
      return html
        .replace("<!-- header -->", () => {
          const bar = readFileSync(here("src/shared/header.html"), "utf8");
          return path === "/404.html" ? bar : bar.replace(`data-page="${page}"`, () => `data-page="${page}" aria-current="page"`);
        })
        .replaceAll("{root}", root);
    },
  },
});

export default defineConfig({
  root: here("."),
  base: "./",
  publicDir: here("public"),
  resolve: {
    alias: [
      { find: /^roomd-client$/, replacement: here("../client/src/index.ts") },
      { find: /^roomd-client\/(.*)$/, replacement: here("../client/src/$1.ts") },
    ],
    dedupe: ["yjs", "lib0", "react"],
  },
  esbuild: { jsx: "automatic", legalComments: "none" },
  build: {
    outDir: process.env.ROOMD_WWW_OUT ?? here("../dist"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: {
        ...Object.fromEntries(Object.entries(pages).map(([name, folder]) => [name, here(`${folder}index.html`)])),
        missing: here("404.html"),
      },
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
        manualChunks(id) {
          if (/node_modules\/(yjs|lib0|y-protocols|phoenix)\//.test(id)) return "yjs";
          if (/pages\/src\/shared\/(site|dom)\./.test(id)) return "site";
          if (/pages\/src\/shared\/(panel|people)\.|client\/src\/(socket|provider|index)\./.test(id)) return "sides";
          if (/node_modules\/(react|react-dom|scheduler)\//.test(id)) return "react";
          return undefined;
        },
      },
    },
  },
  server: { proxy: { "/socket": { target: "http://localhost:4000", ws: true }, "/metrics": "http://localhost:4000", "/stats.json": "http://localhost:4000" } },
  plugins: [documents(), header(), licenses()],
});
