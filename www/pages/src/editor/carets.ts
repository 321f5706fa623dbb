// SPDX-License-Identifier: MIT
// Where the others write: their carets and selections as decorations, our own
// told in the awareness field `cursor`, as y-prosemirror has it. Colours are
// classes: the browser copies style attributes about when it edits, which the
// content policy forbids.
//
// A caret has no text in it, its name is drawn by the style sheet. The browser
// can put our caret into text, also uneditable text: a click or the End key
// beside another's caret did, and what was typed before ProseMirror noticed
// was lost.
import { Plugin, PluginKey, type EditorState } from "@tiptap/pm/state";
import { Decoration, DecorationSet, type EditorView } from "@tiptap/pm/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { h } from "../shared/dom.js";
import { colors, safeColor, safeName } from "../shared/site.js";
import { isIncoming, type Sync } from "./sync.js";

const key = new PluginKey<DecorationSet>("carets");

interface CaretState {
  user?: { name?: unknown; color?: unknown };
  cursor?: { anchor: unknown; head: unknown } | null;
}

/** The class of a colour: one that is not ours gets the last. */
const colorClass = (color: unknown): string => `user-${(colors.indexOf(safeColor(color)) + colors.length) % colors.length}`;

const caret = (name: string, color: string): HTMLElement => h("span", { class: `caret ${color}`, "data-name": name, "aria-hidden": true });

export const carets = (sync: Sync, awareness: Awareness): Plugin => {
  const place = (json: unknown): number | null => {
    try {
      return sync.absolute(Y.createRelativePositionFromJSON(json));
    } catch {
      return null;
    }
  };

  const draw = (state: EditorState): DecorationSet => {
    const decorations: Decoration[] = [];
    const size = state.doc.content.size;
    for (const [id, { user, cursor }] of awareness.getStates() as Map<number, CaretState>) {
      if (id === awareness.clientID || !cursor) continue;
      const anchor = place(cursor.anchor);
      const head = place(cursor.head);
      if (anchor === null || head === null || anchor > size || head > size) continue;
      const name = safeName(user?.name);
      const color = colorClass(user?.color);
      // A caret that moves is a new one, and shows its name again for a moment.
      decorations.push(Decoration.widget(head, () => caret(name, color), { key: `${id} ${head} ${color} ${name}`, side: 10 }));
      if (anchor === head) continue;
      decorations.push(Decoration.inline(Math.min(anchor, head), Math.max(anchor, head), { class: `caret-range ${color}` }, { inclusiveEnd: true }));
    }
    return DecorationSet.create(state.doc, decorations);
  };

  const tell = (view: EditorView) => {
    const state = awareness.getLocalState() as CaretState | null;
    if (!state) return;
    const selected = view.hasFocus() ? sync.selection(view.state) : null;
    if (JSON.stringify(selected) !== JSON.stringify(state.cursor ?? null)) awareness.setLocalStateField("cursor", selected);
  };

  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply: (tr, old, _before, state) => (isIncoming(tr) || tr.getMeta(key) ? draw(state) : old.map(tr.mapping, tr.doc)),
    },
    props: {
      decorations: (state) => key.getState(state),
      handleDOMEvents: {
        focus: (view) => (setTimeout(() => tell(view)), false),
        blur: (view) => (setTimeout(() => tell(view)), false),
      },
    },
    view(view) {
      let due: ReturnType<typeof setTimeout> | undefined;
      const changed = ({ added, updated, removed }: Record<string, number[]>) => {
        if ([added, updated, removed].every((ids) => ids!.every((id) => id === awareness.clientID))) return;
        due ??= setTimeout(() => {
          due = undefined;
          sync.settle();
          view.dispatch(view.state.tr.setMeta(key, true).setMeta("addToHistory", false));
        });
      };
      awareness.on("change", changed);
      return {
        update: tell,
        destroy() {
          clearTimeout(due);
          awareness.off("change", changed);
        },
      };
    },
  });
};
