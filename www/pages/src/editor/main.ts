// SPDX-License-Identifier: MIT
// The editor: Tiptap on a document of `y_doc_room:<id>`, kept on this device.
import { Editor, Extension } from "@tiptap/core";
import { Collaboration } from "@tiptap/extension-collaboration";
import { StarterKit } from "@tiptap/starter-kit";
import { yCursorPlugin } from "@tiptap/y-tiptap";
import { RoomdProvider, connect } from "roomd-client";
import { offline } from "roomd-client/offline";
import * as Y from "yjs";
import { byId, download, h } from "../shared/dom.js";
import { mountPanel } from "../shared/panel.js";
import { introduce, mountPeople } from "../shared/people.js";
import { askedTransport, colors, roomName, safeColor, safeName, setUpTheme, socketUrl, userId } from "../shared/site.js";
import { toMarkdown } from "./markdown.js";
import { mountTools } from "./tools.js";
import "../shared/base.css";
import "./editor.css";

setUpTheme();
const room = roomName("editor");
const socket = connect(socketUrl, { transport: askedTransport, params: { user_id: userId } });
const doc = new Y.Doc();
const provider = new RoomdProvider(socket, `y_doc_room:${room}`, doc, { disableBc: true, persistence: offline });

/** The class of a colour: one that is not ours gets the last. */
const colorClass = (color: unknown): string => `user-${(colors.indexOf(safeColor(color)) + colors.length) % colors.length}`;

/** Cursors without style attributes: the browser copies those about when it edits, which the content policy forbids. */
const Carets = Extension.create({
  name: "carets",
  addProseMirrorPlugins: () => [yCursorPlugin(provider.awareness, {
    cursorBuilder: (user: { name?: unknown; color?: unknown }) => {
      const label = h("span", { class: "caret-name" }, safeName(user.name));
      return h("span", { class: `caret ${colorClass(user.color)}` }, "\u2060", label, "\u2060");
    },
    selectionBuilder: (user: { color?: unknown }) => ({ class: `caret-range ${colorClass(user.color)}` }),
  })],
});

const editor = new Editor({
  element: byId("text"),
  injectCSS: false,
  extensions: [
    StarterKit.configure({ undoRedo: false, trailingNode: false, link: { openOnClick: false } }),
    Collaboration.configure({ document: doc, field: "body" }),
    Carets,
  ],
  editorProps: {
    attributes: { class: "prose", role: "textbox", "aria-multiline": "true", "aria-label": "Document", "data-placeholder": "Write something. Everybody in this room sees it." },
  },
});

introduce(socket, provider);
mountTools(byId("tools"), editor);
mountPanel(byId("panel"), socket, provider);
mountPeople(byId("people"), provider);

const words = typeof Intl.Segmenter === "function" ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;
const countWords = (text: string): number => {
  if (!words) return text.split(/\s+/).filter(Boolean).length;
  let n = 0;
  for (const part of words.segment(text)) if (part.isWordLike) n++;
  return n;
};

const hint = () => editor.view.dom.classList.toggle("is-empty", editor.isEmpty);
const draw = () => {
  const text = editor.state.doc.textBetween(0, editor.state.doc.content.size, "\n", " ");
  const n = countWords(text);
  byId("words").textContent = `${n} ${n === 1 ? "word" : "words"}, ${[...text.replace(/\n/g, "")].length} characters`;
};
let timer: ReturnType<typeof setTimeout> | undefined;
editor.on("transaction", ({ transaction }) => {
  if (!transaction.docChanged) return;
  hint();
  timer ??= setTimeout(() => {
    timer = undefined;
    draw();
  }, 200);
});
hint();
draw();
void provider.whenLoaded.then(() => {
  byId("kept").textContent = provider.error?.code === "offline" ? "" : "Kept on this device.";
});

const takes: Record<string, () => void> = {
  html: () => download(`${room}.html`, "text/html", `<!doctype html>\n<meta charset="utf-8">\n${editor.getHTML()}\n`),
  markdown: () => download(`${room}.md`, "text/markdown", toMarkdown(editor.getJSON())),
  update: () => download(`${room}.yjs`, "application/octet-stream", new Uint8Array(Y.encodeStateAsUpdate(doc))),
};
for (const button of document.querySelectorAll<HTMLButtonElement>("[data-take]")) {
  button.addEventListener("click", () => takes[button.dataset.take ?? ""]?.());
}
