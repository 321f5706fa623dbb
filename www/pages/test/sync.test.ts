// @vitest-environment jsdom
// SPDX-License-Identifier: MIT
import { Editor, Extension } from "@tiptap/core";
import { StarterKit } from "@tiptap/starter-kit";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { afterEach, describe, expect, test } from "vitest";
import { carets } from "../src/editor/carets.js";
import { Sync } from "../src/editor/sync.js";

// What jsdom has not: places on a screen.
Object.assign(Range.prototype, { getClientRects: () => [], getBoundingClientRect: () => new DOMRect() });

class Side {
  doc = new Y.Doc();
  body = this.doc.getXmlFragment("body");
  sync = new Sync(this.body);
  editor: Editor;
  constructor() {
    const { sync, doc } = this;
    const awareness = new Awareness(doc);
    this.editor = new Editor({
      element: document.body.appendChild(document.createElement("div")), injectCSS: false,
      extensions: [StarterKit.configure({ undoRedo: false, trailingNode: false }), Extension.create({
        name: "together", addProseMirrorPlugins: () => [sync.plugin, carets(sync, awareness)],
      })],
    });
    sides.push(this);
  }
  get text(): string[] {
    const blocks: string[] = [];
    this.editor.state.doc.forEach((node) => blocks.push(node.textContent));
    return blocks;
  }
  get caret(): number {
    return this.editor.state.selection.head;
  }
  /** Types at the caret, as a key does. */
  type(text: string): this {
    const { view } = this.editor;
    for (const letter of text) {
      if (letter === "\n") this.editor.commands.keyboardShortcut("Enter");
      else view.dispatch(view.state.tr.insertText(letter));
    }
    return this;
  }
  at(position: number): this {
    this.editor.commands.setTextSelection(position);
    return this;
  }
}

let sides: Side[] = [];
afterEach(() => {
  for (const { editor } of sides) editor.destroy();
  sides = [];
});

/** Halves of surrogate pairs are left alone: yjs itself breaks those that are torn. */
const exchange = (...all: Side[]) => {
  for (const from of all) for (const to of all) {
    if (from !== to) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)), "network");
  }
};
const agree = (...all: Side[]) => {
  exchange(...all);
  exchange(...all);
  for (const side of all) {
    expect(side.editor.state.doc.toJSON()).toEqual(all[0]!.editor.state.doc.toJSON());
    side.editor.state.doc.check();
  }
};

describe("two editors", () => {
  test("what one types the other shows, and carets stay where they were", () => {
    const a = new Side();
    const b = new Side();
    a.type("Notes\nmiddle");
    exchange(a, b);
    expect(b.text).toEqual(["Notes", "middle"]);
    b.at(14);
    a.at(8);
    for (const [x, y] of [["f", " "], ["r", "\u{1f680}"], ["\u{1f600}", " "], ["o", "e"]] as const) {
      a.type(x);
      b.type(y);
      exchange(a, b);
    }
    expect(b.text).toEqual(["Notes", "fr\u{1f600}omiddle \u{1f680} e"]);
    expect(a.text).toEqual(b.text);
    expect(a.caret).toBe(13);
  });

  test("the caret does not move to another paragraph of the same text", () => {
    const a = new Side();
    const b = new Side();
    a.type("same\nsame\nother");
    exchange(a, b);
    b.at(5);
    a.at(1).type("x");
    exchange(a, b);
    b.type("y");
    expect(b.text).toEqual(["xsamey", "same", "other"]);
  });

  test("the caret keeps its place among equal letters", () => {
    const a = new Side();
    const b = new Side();
    a.type("aa");
    exchange(a, b);
    b.at(3);
    a.at(1).type("a");
    exchange(a, b);
    b.type("b");
    expect(b.text).toEqual(["aaab"]);
  });

  test("words typed at one place stay whole", () => {
    const a = new Side();
    const b = new Side();
    a.type("-");
    exchange(a, b);
    b.at(2);
    for (const i of [0, 1, 2, 3]) {
      a.type("left"[i]!);
      b.type("ways"[i]!);
      exchange(a, b);
    }
    agree(a, b);
    expect(a.text[0]).toMatch(/^-(leftways|waysleft)$/);
  });

  test("both begin in an empty document: each text is there once", () => {
    const a = new Side();
    const b = new Side();
    a.type("one");
    b.type("two");
    agree(a, b);
    a.type("!");
    b.type("?");
    agree(a, b);
    expect([...a.text].filter(Boolean).sort()).toEqual(["one!", "two?"]);
  });

  test("both begin in one empty paragraph: each text is there once", () => {
    const a = new Side();
    const b = new Side();
    a.type("x\n");
    exchange(a, b);
    b.at(4);
    for (const i of [0, 1, 2]) {
      a.type("one"[i]!);
      b.type("two"[i]!);
      if (i) exchange(a, b);
    }
    agree(a, b);
    expect(a.text[1]).toMatch(/^(onetwo|twoone)$/);
  });

  test("one emoji changes into another of the same half", () => {
    const a = new Side();
    const b = new Side();
    a.type("\u{1f600}");
    a.editor.view.dispatch(a.editor.state.tr.insertText("\u{1f680}", 1, 3));
    agree(a, b);
    expect(b.text).toEqual(["\u{1f680}"]);
  });

  test("undo takes back one's own words, and no block that others have written in", () => {
    const a = new Side();
    const b = new Side();
    a.type("mine");
    exchange(a, b);
    b.at(5).type(" yours");
    exchange(a, b);
    a.sync.undo.undo();
    agree(a, b);
    expect(a.text).toEqual([" yours"]);
    a.sync.undo.redo();
    agree(a, b);
    expect(a.text).toEqual(["mine yours"]);
    expect(a.caret).toBe(5);
  });

  test("a mark put on words leaves what others type into them", () => {
    const a = new Side();
    const b = new Side();
    a.type("some words");
    exchange(a, b);
    a.editor.chain().setTextSelection({ from: 1, to: 11 }).toggleBold().run();
    b.at(5).type("!");
    agree(a, b);
    expect(a.text).toEqual(["some! words"]);
    expect(a.editor.getHTML()).toContain("<strong>some");
  });

  test("what the browser typed and where it put the caret is read before others' changes", () => {
    const a = new Side();
    const b = new Side();
    a.type("middle");
    exchange(a, b);
    b.editor.view.focus();
    const text = b.editor.view.dom.querySelector("p")!.firstChild as Text;
    text.insertData(6, " end");
    getSelection()!.collapse(text, 0);
    b.sync.settle();
    a.at(4).type("X");
    exchange(a, b);
    b.type("front ");
    agree(a, b);
    expect(b.text).toEqual(["front midXdle end"]);
  });
});

test.each([1, 2, 3, 4, 5])("three editors, random edits, exchanges now and then (seed %i)", (seed) => {
  let state = seed;
  const random = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 4294967296 * n);
  };
  const all = [new Side(), new Side(), new Side()];
  for (let step = 0; step < 150; step++) {
    const side = all[random(3)]!;
    const { editor } = side;
    const size = editor.state.doc.content.size;
    const dice = random(20);
    if (dice < 4) side.at(random(size + 1));
    else if (dice < 11) side.type(["a", "bc ", "\u4e2d", "\u00fc", "\n"][random(5)]!);
    else if (dice === 11) editor.commands.setTextSelection({ from: random(size + 1), to: random(size + 1) });
    else if (dice === 12) editor.commands.deleteSelection();
    else if (dice === 13) editor.commands.toggleBold();
    else if (dice === 14) editor.commands.toggleBulletList();
    else if (dice === 15) editor.commands.toggleBlockquote();
    else if (dice === 16) editor.commands.toggleHeading({ level: 2 });
    else if (dice === 17) editor.commands.joinBackward();
    else if (dice === 18) side.sync.undo.undo();
    else side.sync.undo.redo();
    if (random(4) === 0) exchange(all[random(3)]!, all[random(3)]!);
  }
  agree(...all);
  for (const { body } of all) expect(body.toString()).toBe(all[0]!.body.toString());
});
