// SPDX-License-Identifier: MIT
// The editor: Tiptap on a document of `y_doc_room:<id>`, kept on this device.
import { Editor, Extension } from "@tiptap/core";
import { Plugin } from "@tiptap/pm/state";
import { StarterKit } from "@tiptap/starter-kit";
import { RoomdProvider, connect } from "roomd-client";
import { offline } from "roomd-client/offline";
import * as Y from "yjs";
import { byId, download } from "../shared/dom.js";
import { mountPanel } from "../shared/panel.js";
import { introduce, mountPeople } from "../shared/people.js";
import { askedTransport, roomName, setUpTheme, socketUrl, userId } from "../shared/site.js";
import { carets } from "./carets.js";
import { toMarkdown } from "./markdown.js";
import { Sync } from "./sync.js";
import { mountTools } from "./tools.js";
import "../shared/base.css";
import "./editor.css";

setUpTheme();
const room = roomName("editor");
const socket = connect(socketUrl, { transport: askedTransport, params: { user_id: userId } });
const doc = new Y.Doc();
const provider = new RoomdProvider(socket, `y_doc_room:${room}`, doc, { disableBc: true, persistence: offline });

const sync = new Sync(doc.getXmlFragment("body"));
provider.on("incoming", () => sync.settle());

const Together = Extension.create({
  name: "together",
  addProseMirrorPlugins: () => [sync.plugin, carets(sync, provider.awareness), new Plugin({
    // What a shortcut like "# " made of a line is taken back on its own.
    filterTransaction: (tr) => {
      if (tr.getMeta("inputRule")) sync.undo.stopCapturing();
      return true;
    },
  })],
  addKeyboardShortcuts() {
    const { undo, redo } = this.editor.commands;
    return { "Mod-z": undo, "Mod-y": redo, "Shift-Mod-z": redo };
  },
  addCommands: () => ({
    undo: () => ({ tr, dispatch }) => {
      tr.setMeta("preventDispatch", true);
      return sync.undo.canUndo() && (!dispatch || sync.undo.undo() !== null);
    },
    redo: () => ({ tr, dispatch }) => {
      tr.setMeta("preventDispatch", true);
      return sync.undo.canRedo() && (!dispatch || sync.undo.redo() !== null);
    },
  }),
});

const editor = new Editor({
  element: byId("text"),
  injectCSS: false,
  extensions: [
    StarterKit.configure({ undoRedo: false, trailingNode: false, link: { openOnClick: false } }),
    Together,
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
// At once, then five times a second: counting is slow in a long text.
let timer: ReturnType<typeof setTimeout> | undefined;
let stale = false;
const refresh = () => {
  draw();
  stale = false;
  timer = setTimeout(() => {
    timer = undefined;
    if (stale) refresh();
  }, 200);
};
editor.on("transaction", ({ transaction }) => {
  if (!transaction.docChanged) return;
  hint();
  if (timer) stale = true;
  else refresh();
});
hint();
draw();
// A write takes some milliseconds: said only when it takes longer, or the line would flicker with each key.
let storing: ReturnType<typeof setTimeout> | undefined;
provider.on("stored", (stored) => {
  clearTimeout(storing);
  if (stored) byId("kept").textContent = "Kept on this device.";
  else storing = setTimeout(() => byId("kept").textContent = "Not kept on this device yet.", 250);
});
provider.on("error", ({ code }) => {
  if (code !== "offline") return;
  clearTimeout(storing);
  byId("kept").textContent = "";
});

const takes: Record<string, () => void> = {
  html: () => download(`${room}.html`, "text/html", `<!doctype html>\n<meta charset="utf-8">\n${editor.getHTML()}\n`),
  markdown: () => download(`${room}.md`, "text/markdown", toMarkdown(editor.getJSON())),
  update: () => download(`${room}.yjs`, "application/octet-stream", new Uint8Array(Y.encodeStateAsUpdate(doc))),
};
for (const button of document.querySelectorAll<HTMLButtonElement>("[data-take]")) {
  button.addEventListener("click", () => takes[button.dataset.take ?? ""]?.());
}
