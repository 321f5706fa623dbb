// SPDX-License-Identifier: MIT
import { marked } from "marked";
import { expect, test } from "vitest";
import { toMarkdown, type Node } from "../src/editor/markdown.js";

const text = (value: string, ...marks: string[]): Node => ({ type: "text", text: value, marks: marks.map((type) => ({ type })) });
const p = (...content: Node[]): Node => ({ type: "paragraph", content });
const doc = (...content: Node[]): string => toMarkdown({ type: "doc", content });
const item = (...content: Node[]): Node => ({ type: "listItem", content });

test("an empty document", () => {
  expect(doc(p())).toBe("\n");
});

test("headings, marks, breaks", () => {
  expect(doc(
    { type: "heading", attrs: { level: 2 }, content: [text("Title")] },
    p(text("plain "), text("bold ", "bold"), text("both", "bold", "italic"), text(" gone", "strike")),
    p(text("one"), { type: "hardBreak" }, text("two")),
    { type: "horizontalRule" },
  )).toBe("## Title\n\nplain **bold** ***both*** ~~gone~~\n\none\\\ntwo\n\n---\n");
});

test("underline stays, as the HTML that Markdown takes", () => {
  expect(doc(p(text("plain "), text("under ", "underline"), text("both", "bold", "underline"), text("<u>", "underline")))).toBe(
    "plain <u>under</u> <u>**both**</u><u>\\<u\\></u>\n");
});

test("lists, nested and numbered from elsewhere", () => {
  expect(doc(
    { type: "bulletList", content: [item(p(text("a")), { type: "bulletList", content: [item(p(text("b")))] }), item(p(text("c")))] },
    { type: "orderedList", attrs: { start: 9 }, content: [item(p(text("i"))), item(p(text("j")), p(text("more")))] },
  )).toBe("- a\n\n  - b\n- c\n\n9. i\n10. j\n\n    more\n");
});

test("quotes and code keep what is in them", () => {
  expect(doc(
    { type: "blockquote", content: [p(text("one")), p(text("two"))] },
    { type: "codeBlock", attrs: { language: "js" }, content: [text("let a = ```;\n*b*")] },
    p(text("a`b", "code"), text(" and "), text("`", "code")),
  )).toBe("> one\n>\n> two\n\n````js\nlet a = ```;\n*b*\n````\n\n``a`b`` and `` ` ``\n");
});

test("what looks like Markdown is escaped", () => {
  expect(doc(p(text("# no *stars* [or](links) <b> 1. \\")))).toBe("\\# no \\*stars\\* \\[or\\](links) \\<b\\> 1. \\\\\n");
  expect(doc(p(text("## no heading")), p(text("---")), p(text("&lt;, R&D, ~~here~~")))).toBe("\\## no heading\n\n\\---\n\n\\&lt;, R&D, \\~\\~here\\~\\~\n");
  expect(doc(p(text("a"), { type: "hardBreak" }, text("===")), p(text("    no code")))).toBe("a\\\n\\===\n\nno code\n");
  expect(doc(p(text("12) no list")), p(text("- nor here")))).toBe("12\\) no list\n\n\\- nor here\n");
});

test("marks within a word are read back, whatever stands at their edges", () => {
  const html = (...content: Node[]) => (marked.parse(doc(p(...content))) as string).trim();
  expect(html(text("foo"), text("bar.", "bold"), text("baz"))).toBe("<p>foo<strong>bar.</strong>baz</p>");
  expect(html(text("foo"), text("(bar", "italic"), text("baz"))).toBe("<p>foo<em>(bar</em>baz</p>");
  expect(html(text("foo"), text("b", "bold"), text("c", "bold", "italic"), text("d"))).toBe("<p>foo<strong>b</strong><em><strong>c</strong></em>d</p>");
  expect(html(text("a", "strike"), text("b", "italic"), text("c", "bold"))).toBe("<p><del>a</del><em>b</em><strong>c</strong></p>");
  expect(html(text("a "), text("b.", "bold"), text(" c"))).toBe("<p>a <strong>b.</strong> c</p>");
  expect(doc(p(text("foo"), text("bar", "bold"), text("baz")))).toBe("foo**bar**baz\n");
});

test("links", () => {
  expect(doc(p({ type: "text", text: "here", marks: [{ type: "link", attrs: { href: "https://example.org/a b>" } }] })))
    .toBe("[here](<https://example.org/a b%3E>)\n");
  expect(doc(p(text("so!"), { type: "text", text: "here", marks: [{ type: "link", attrs: { href: "/a" } }] }))).toBe("so\\![here](</a>)\n");
});
