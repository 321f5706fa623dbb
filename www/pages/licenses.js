// SPDX-License-Identifier: MIT
// Writes licenses.txt: the terms of every package whose code is in the pages.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const packageOf = (id) => id.match(/^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//);

let root;

export const licenses = () => ({
  name: "roomd-licenses",
  configResolved(config) {
    root = config.root;
  },
  generateBundle(_options, bundle) {
    const folders = new Map();
    const note = (id) => {
      const found = packageOf(id.replace(/^\0/, "").replaceAll("\\", "/"));
      if (found) folders.set(found[2], found[1]);
    };
    for (const file of Object.values(bundle)) {
      for (const id of file.moduleIds ?? []) note(id);
      for (const id of file.originalFileNames ?? []) note(resolve(root, id));
    }
    for (const id of this.getModuleIds()) note(id);
    const texts = [...folders].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, folder]) => {
      const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).sort().find((entry) => /^licen[sc]e/i.test(entry));
      const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "";
      return `${name} ${version} (${license})\n\n${text.replace(/\r\n/g, "\n").trim()}\n`;
    });
    const source = `These pages contain code of the following packages.\n\n${texts.join(`\n${"-".repeat(72)}\n\n`)}`;
    this.emitFile({ type: "asset", fileName: "licenses.txt", source });
  },
});
