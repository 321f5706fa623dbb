// SPDX-License-Identifier: MIT
// The formatting bar: one tab stop, arrow keys inside, as toolbars are meant.
import type { ChainedCommands, Editor } from "@tiptap/core";
import { h } from "../shared/dom.js";

interface Tool {
  label: string;
  face: string;
  keys?: string;
  run: (chain: ChainedCommands) => ChainedCommands;
  /** Node or mark, and its attributes, that this tool switches. */
  active?: [string, Record<string, unknown>?];
}

const groups: Tool[][] = [
  [
    { label: "Bold", face: "B", keys: "Ctrl+B", run: (c) => c.toggleBold(), active: ["bold"] },
    { label: "Italic", face: "I", keys: "Ctrl+I", run: (c) => c.toggleItalic(), active: ["italic"] },
    { label: "Underline", face: "U", keys: "Ctrl+U", run: (c) => c.toggleUnderline(), active: ["underline"] },
    { label: "Strike", face: "S", run: (c) => c.toggleStrike(), active: ["strike"] },
    { label: "Code", face: "<>", keys: "Ctrl+E", run: (c) => c.toggleCode(), active: ["code"] },
  ],
  [
    { label: "H1, heading", face: "H1", run: (c) => c.toggleHeading({ level: 1 }), active: ["heading", { level: 1 }] },
    { label: "H2, smaller heading", face: "H2", run: (c) => c.toggleHeading({ level: 2 }), active: ["heading", { level: 2 }] },
  ],
  [
    { label: "List", face: "•", run: (c) => c.toggleBulletList(), active: ["bulletList"] },
    { label: "1. numbered list", face: "1.", run: (c) => c.toggleOrderedList(), active: ["orderedList"] },
    { label: "Quote", face: "“", run: (c) => c.toggleBlockquote(), active: ["blockquote"] },
    { label: "Code block", face: "{ }", run: (c) => c.toggleCodeBlock(), active: ["codeBlock"] },
  ],
  [
    { label: "Undo", face: "↶", keys: "Ctrl+Z", run: (c) => c.undo() },
    { label: "Redo", face: "↷", keys: "Ctrl+Y", run: (c) => c.redo() },
  ],
];

export const mountTools = (element: HTMLElement, editor: Editor): void => {
  const buttons: HTMLButtonElement[] = [];
  const refresh: (() => void)[] = [];
  for (const group of groups) {
    const box = h("div", { class: "group" });
    for (const tool of group) {
      const title = tool.keys ? `${tool.label} (${tool.keys})` : tool.label;
      const button = h("button", {
        type: "button", title, "aria-label": tool.label, tabindex: buttons.length ? -1 : 0, "data-tool": tool.label,
        onmousedown: (event: Event) => event.preventDefault(),
        onclick: () => tool.run(editor.chain().focus()).run(),
      }, h("span", { "aria-hidden": true }, tool.face));
      const { active } = tool;
      if (active) refresh.push(() => button.setAttribute("aria-pressed", String(editor.isActive(...active))));
      else refresh.push(() => button.setAttribute("aria-disabled", String(!tool.run(editor.can().chain()).run())));
      buttons.push(button);
      box.append(button);
    }
    element.append(box);
  }
  element.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: buttons.length - 1 - at }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    const next = buttons[(at + step + buttons.length) % buttons.length]!;
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  });
  let due = 0;
  const draw = () => {
    due = 0;
    for (const one of refresh) one();
  };
  editor.on("transaction", () => {
    due ||= requestAnimationFrame(draw);
  });
  draw();
};
