// SPDX-License-Identifier: MIT
// The document as Markdown. Knows the nodes and marks of the editor's schema;
// of anything else the text is kept.

export interface Node {
  type?: string;
  text?: string;
  attrs?: Record<string, unknown>;
  marks?: { type: string; attrs?: Record<string, unknown> }[];
  content?: Node[];
}

// What means something anywhere, and what only does at the start of a line: lists, headings, rules.
const escapeText = (text: string): string =>
  text.replace(/[\\`*_~[\]<>]|&(?=#?\w+;)/g, "\\$&")
    .replace(/^(\s*)(#+(?=\s|$)|[+-](?=\s|$)|-+(?=\s*$)|=+(?=\s*$))/gm, "$1\\$2")
    .replace(/^(\s*\d+)([.)])(?=\s|$)/gm, "$1\\$2");

const fence = (text: string): string => {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  return "`".repeat(longest + 1);
};

const codeSpan = (text: string): string => {
  const ticks = fence(text);
  const pad = /^`|`$/.test(text) ? " " : "";
  return ticks + pad + text + pad + ticks;
};

// Markdown has no underline of its own; it takes HTML's.
const wrappers: Record<string, [string, string]> = {
  bold: ["**", "**"], italic: ["*", "*"], strike: ["~~", "~~"], underline: ["<u>", "</u>"],
};

// What is meant to be read as a mark by what stands on both sides of it: it is
// not where a sign or another mark touches it and a word goes on behind that.
const tags: Record<string, string> = { bold: "strong", italic: "em", strike: "del" };

const touched = (edge: string | undefined, near: Node | undefined, facing: string | undefined): boolean =>
  !!edge && !!facing && !/\s/.test(facing) &&
  (/[\p{P}\p{S}]/u.test(edge) || !!near?.marks?.some((mark) => mark.type in tags));

const isLink = (node?: Node) => node?.marks?.find((mark) => mark.type === "link");

const inline = (nodes: Node[] = []): string => nodes.map((node, i) => {
  if (node.type === "hardBreak") return "\\\n";
  const text = node.text ?? inline(node.content);
  const marks = node.marks ?? [];
  if (marks.some((mark) => mark.type === "code")) return codeSpan(text);
  // A wrapper must touch the words: spaces go outside.
  const [, before = "", core = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? [];
  if (!core) return text;
  let out = escapeText(core);
  const [previous, next, letters] = [nodes[i - 1], nodes[i + 1], [...core]];
  const html = (!before && touched(letters[0], previous, [...previous?.text ?? ""].at(-1))) ||
    (!after && touched(letters.at(-1), next, [...next?.text ?? ""][0]));
  for (const mark of marks) {
    const tag = html && tags[mark.type];
    const wrapper = tag ? [`<${tag}>`, `</${tag}>`] : wrappers[mark.type];
    if (wrapper) out = wrapper[0] + out + wrapper[1];
  }
  const link = isLink(node);
  // "!" before a link would make it a picture.
  if (!link && !after && isLink(nodes[i + 1])) out = out.replace(/!$/, "\\!");
  if (link) out = `[${out}](<${String(link.attrs?.href ?? "").replace(/[<>\n]/g, encodeURIComponent)}>)`;
  return before + out + after;
}).join("");

const indent = (text: string, first: string): string =>
  text.split("\n").map((line, i) => (i === 0 ? first + line : line && " ".repeat(first.length) + line)).join("\n");

const list = (node: Node, mark: (index: number) => string): string =>
  (node.content ?? []).map((item, i) => indent(blocks(item.content), mark(i))).join("\n");

const block = (node: Node): string => {
  switch (node.type) {
    case "heading": return `${"#".repeat(Number(node.attrs?.level ?? 1))} ${inline(node.content).replace(/\\?\n/g, " ")}`;
    case "bulletList": return list(node, () => "- ");
    case "orderedList": return list(node, (i) => `${Number(node.attrs?.start ?? 1) + i}. `);
    case "blockquote": return blocks(node.content).split("\n").map((line) => `> ${line}`.trimEnd()).join("\n");
    case "horizontalRule": return "---";
    case "codeBlock": {
      const text = (node.content ?? []).map((child) => child.text ?? "").join("");
      const ticks = fence(text).padEnd(3, "`");
      return `${ticks}${String(node.attrs?.language ?? "")}\n${text}\n${ticks}`;
    }
    // Four spaces in front would make it code.
    default: return inline(node.content).replace(/^[ \t]+/, "");
  }
};

const blocks = (nodes: Node[] = []): string => nodes.map(block).join("\n\n");

export const toMarkdown = (doc: Node): string => `${blocks(doc.content).trimEnd()}\n`;
