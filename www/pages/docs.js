// SPDX-License-Identifier: MIT
// Puts documents of the tree into pages that say `<!-- text: FILE -->`, as
// HTML. Links between them become links between the pages; what leads to
// elsewhere in the sources, or to other sites, stays as text: a page links to
// nothing but its own server.
import { readFileSync } from "node:fs";
import { basename, dirname, normalize } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { Marked } from "marked";

const top = new URL("../../", import.meta.url);
/** The documents that are pages, and where. */
const pages = { "www/client/README.md": "docs/client/", "docs/MIGRATION.md": "docs/migration/" };

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const slug = (text) => text.toLowerCase().replace(/`/g, "").replace(/[^\w]+/g, "-").replace(/^-|-$/g, "");
const label = (text) => text.replace(/`/g, "").replace(/\(.*$/, "").replace(/^new /, "").trim();

/** Lines that go and lines that come are told apart by more than their colour: the sign stays. */
const difference = (text) => text.split("\n").map((line) => {
  const kind = { "-": "old", "+": "new" }[line[0]];
  return kind ? `<span class="${kind}">${escape(line)}</span>` : escape(line);
}).join("\n");

export const render = (file, text, root) => {
  const inside = [];
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: name }) {
        if (depth === 2) inside.push(name);
        return `<h${depth} id="${slug(name)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      code({ text: code, lang }) {
        return `<pre tabindex="0" role="region" aria-label="Code"><code>${lang === "diff" ? difference(code) : escape(code)}</code></pre>\n`;
      },
      link({ href, tokens }) {
        const said = this.parser.parseInline(tokens);
        if (href.startsWith("#")) return `<a href="${escape(href)}">${said}</a>`;
        const page = /^\w+:/.test(href) ? null : pages[normalize(`${dirname(file)}/${href}`)];
        return page ? `<a href="${root}${page}">${said}</a>` : said;
      },
      table(token) {
        const row = (cells, tag, scope = "") => `<tr>${cells.map((cell) =>
          `<${tag}${scope}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")}</tr>`;
        return `<div class="wide" tabindex="0" role="region" aria-label="Table"><table><thead>${row(token.header, "th", ' scope="col"')}</thead><tbody>${
          token.rows.map((cells) => row(cells, "td")).join("\n")}</tbody></table></div>\n`;
      },
      html: ({ text: html }) => escape(html),
    },
  });
  const body = marked.parse(text);
  const list = inside.map((name) => `<li><a href="#${slug(name)}">${escape(label(name))}</a></li>`).join("\n");
  return `<article>${body}</article>\n<nav class="inside" aria-label="On this page"><h2>On this page</h2><ul>${list}</ul></nav>`;
};

/** Before the header's plugin, which fills in `{root}`. */
export const documents = () => ({
  name: "roomd-documents",
  transformIndexHtml: {
    order: "pre",
    handler: (html) => html.replace(/<!-- text: (\S+) -->/, (_all, file) =>
      render(file, readFileSync(fileURLToPath(new URL(file, top)), "utf8"), "{root}")),
  },
  configureServer(server) {
    server.watcher.add(Object.keys(pages).map((file) => fileURLToPath(new URL(file, top))));
    server.watcher.on("change", (path) => basename(path).endsWith(".md") && server.ws.send({ type: "full-reload" }));
  },
});
