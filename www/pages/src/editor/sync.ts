// SPDX-License-Identifier: MIT
// Keeps a ProseMirror view and a Y.XmlFragment the same, in the layout of
// y-prosemirror. Three rules, each learned from a text that was lost or typed
// into the wrong place:
//
// - What the browser has typed, or where it has put the caret, is read before
//   anything of others is applied (`settle`). ProseMirror hears of a caret
//   that a key moved only some milliseconds later; a redraw in that time would
//   put it back to where it was.
// - A change of others replaces only what differs. The caret is kept by its
//   place in the Yjs text, on the side of the letter before it, so that what
//   others type at the same place goes behind it.
// - `shown` is the document that view and fragment last agreed on. Whatever
//   differs from it is written to the fragment, whoever made it; nothing is
//   skipped by a lock.
import type { Node, Schema } from "@tiptap/pm/model";
import { Fragment, Slice } from "@tiptap/pm/model";
import { Plugin, PluginKey, TextSelection, type EditorState, type Transaction } from "@tiptap/pm/state";
import { ReplaceStep } from "@tiptap/pm/transform";
import type { EditorView } from "@tiptap/pm/view";
import { updateYFragment } from "y-prosemirror";
import * as Y from "yjs";

type YChild = Y.XmlElement | Y.XmlText | Y.XmlHook;
type YParent = Y.XmlFragment | Y.XmlElement;
export interface Selected { anchor: Y.RelativePosition; head: Y.RelativePosition }

const key = new PluginKey("sync");
/** True for a transaction that shows what others, or undo, changed. */
export const isIncoming = (tr: Transaction): boolean => tr.getMeta(key) === true;

/** What y-prosemirror appends to the name of a mark that may overlap itself. */
const markName = (name: string) => name.replace(/--[a-zA-Z0-9+/=]{8}$/, "");

export class Sync {
  readonly doc: Y.Doc;
  readonly body: Y.XmlFragment;
  readonly undo: Y.UndoManager;
  readonly plugin: Plugin;
  #schema: Schema | undefined;
  #view: EditorView | undefined;
  #nodes = new Map<Y.AbstractType<any>, Node | Node[]>();
  #shown: Node | undefined;
  #selected: Selected | null = null;
  #behind = false;

  constructor(body: Y.XmlFragment) {
    this.body = body;
    this.doc = body.doc!;
    this.undo = new Y.UndoManager(body, { trackedOrigins: new Set([this]), deleteFilter: isEmpty });
    this.undo.on("stack-item-added", ({ stackItem }) => {
      if (!stackItem.meta.has(this)) stackItem.meta.set(this, this.#before);
    });
    this.undo.on("stack-item-popped", ({ stackItem }) => this.#restore(stackItem.meta.get(this)));
    this.plugin = new Plugin({
      key,
      view: (view) => {
        this.#open(view);
        return { update: () => this.#write(), destroy: () => this.#close() };
      },
      props: {
        handleDOMEvents: { beforeinput: (_view, event) => this.#beforeInput(event) },
      },
    });
  }

  /** Where the selection was before the change that is being recorded. */
  get #before(): Selected | null {
    return this.#selected;
  }

  /** Reads what the browser has done and not reported yet. */
  settle(): void {
    (this.#view as unknown as { domObserver: { flush(): void } } | undefined)?.domObserver.flush();
  }

  /** A place in the document as a place in the Yjs text; null where there is none. */
  relative(at: number): Y.RelativePosition | null {
    return this.#relativeIn(this.body, at);
  }

  /** The reverse; null when it is gone. */
  absolute(place: Y.RelativePosition): number | null {
    const found = Y.createAbsolutePositionFromRelativePosition(place, this.doc);
    if (!found) return null;
    const size = this.#sizeBefore(found.type as YParent, found.index);
    return size === null ? null : this.#startOf(found.type as YParent, size);
  }

  selection(state: EditorState): Selected | null {
    const anchor = this.relative(state.selection.anchor);
    const head = this.relative(state.selection.head);
    return anchor && head && { anchor, head };
  }

  #open(view: EditorView): void {
    this.#view = view;
    this.#schema = view.state.schema;
    this.doc.on("beforeTransaction", this.#beforeTransaction);
    this.body.observeDeep(this.#onChange);
    this.#shown = view.state.doc;
    if (this.body.length) this.#show(false);
  }

  #close(): void {
    this.doc.off("beforeTransaction", this.#beforeTransaction);
    this.body.unobserveDeep(this.#onChange);
    this.#view = undefined;
    this.undo.destroy();
  }

  /** From the view to the fragment. */
  #write(): void {
    const doc = this.#view?.state.doc;
    if (!doc || this.#behind || doc.eq(this.#shown!)) return;
    const old = this.#shown!;
    this.#shown = doc;
    this.doc.transact(() => {
      if (!this.#writeText(old, doc)) updateYFragment(this.doc, this.body, doc, { mapping: this.#nodes, isOMark: new Map() } as never);
    }, this);
    this.#selected = this.selection(this.#view!.state);
  }

  // Typing, the common case, goes to the very place: a comparison of whole
  // texts could take another of several equal letters. False: not that case.
  #writeText(old: Node, doc: Node): boolean {
    const change = difference(old, doc);
    if (!change) return true;
    const { start, endOld, endNew } = atCaret(change, old, doc, this.#view!.state.selection.head);
    const $start = doc.resolve(start);
    const inside = $start.parent;
    if (!inside.isTextblock || $start.end() < endNew || old.resolve(start).end() < endOld) return false;
    if ($start.depth !== old.resolve(start).depth || !inside.sameMarkup(old.resolve(start).parent)) return false;
    const out = textIn(old, start, endOld);
    const into = textIn(doc, start, endNew);
    const place = out === null || into === null || out === into ? null : this.#textAt(this.body, start);
    if (!place || place.offset + endOld - start > place.text.length) return false;
    if (out) place.text.delete(place.offset, out.length);
    let at = place.offset;
    doc.slice(start, endNew).content.forEach(({ text = "", marks }) => {
      place.text.insert(at, text, Object.fromEntries(marks.map((mark) => [mark.type.name, mark.attrs])));
      at += text.length;
    });
    return true;
  }

  #beforeTransaction = (transaction: Y.Transaction): void => {
    if (transaction.origin !== this && this.#view) this.#selected = this.selection(this.#view.state);
  };

  #onChange = (_events: unknown, transaction: Y.Transaction): void => {
    for (const type of transaction.changed.keys()) this.#nodes.delete(type);
    for (const type of transaction.changedParentTypes.keys()) this.#nodes.delete(type);
    if (transaction.origin !== this) this.#show(true);
  };

  /** From the fragment to the view. */
  #show(keep: boolean): void {
    const view = this.#view!;
    const { state } = view;
    const next = this.#build();
    const change = difference(state.doc, next);
    if (!change) {
      this.#shown = next;
      return;
    }
    const tr = replaced(state, next, change);
    const selected = keep ? this.#selected : null;
    if (selected && state.selection instanceof TextSelection) this.#select(tr, selected);
    tr.setMeta(key, true).setMeta("addToHistory", false);
    // Should the view throw, it must not write what it has not seen yet as
    // deleted: it stays behind until the next change of others draws it anew.
    this.#behind = true;
    view.dispatch(tr);
    this.#behind = false;
    this.#shown = next;
    this.#write();
  }

  #select(tr: Transaction, { anchor, head }: Selected): void {
    const from = this.absolute(anchor);
    const to = this.absolute(head);
    const size = tr.doc.content.size;
    if (from === null || to === null || from > size || to > size) return;
    tr.setSelection(TextSelection.between(tr.doc.resolve(from), tr.doc.resolve(to)));
  }

  #restore(selected: Selected | null | undefined): void {
    if (!selected || !this.#view) return;
    const tr = this.#view.state.tr;
    this.#select(tr, selected);
    this.#view.dispatch(tr.scrollIntoView());
  }

  #beforeInput(event: Event): boolean {
    const { inputType } = event as InputEvent;
    if (inputType !== "historyUndo" && inputType !== "historyRedo") return false;
    event.preventDefault();
    if (inputType === "historyUndo") this.undo.undo();
    else this.undo.redo();
    return true;
  }

  #build(): Node {
    const type = this.#schema!.topNodeType;
    const children = this.#childrenOf(this.body);
    return type.createAndFill(null, Fragment.from(children)) ?? type.createAndFill()!;
  }

  #childrenOf(parent: YParent): Node[] {
    const nodes: Node[] = [];
    for (const child of parent.toArray() as YChild[]) {
      if (child instanceof Y.XmlText) nodes.push(...this.#textOf(child));
      else if (child instanceof Y.XmlElement) {
        const node = this.#nodeOf(child);
        if (node) nodes.push(node);
      }
    }
    return nodes;
  }

  // A block that concurrent edits left without what it needs gets it back; one
  // that the schema does not know is not shown.
  #nodeOf(element: Y.XmlElement): Node | null {
    const known = this.#nodes.get(element) as Node | undefined;
    if (known) return known;
    const type = this.#schema!.nodes[element.nodeName];
    if (!type) return null;
    const node = type.createAndFill(element.getAttributes(), Fragment.from(this.#childrenOf(element)));
    if (node) this.#nodes.set(element, node);
    return node;
  }

  #textOf(text: Y.XmlText): Node[] {
    const known = this.#nodes.get(text) as Node[] | undefined;
    if (known) return known;
    const schema = this.#schema!;
    const nodes = (text.toDelta() as { insert: unknown; attributes?: Record<string, unknown> }[])
      .filter(({ insert }) => typeof insert === "string" && insert)
      .map(({ insert, attributes = {} }) => schema.text(insert as string, Object.entries(attributes)
        .filter(([name]) => schema.marks[markName(name)])
        .map(([name, attrs]) => schema.mark(markName(name), attrs as Record<string, unknown>))));
    this.#nodes.set(text, nodes);
    return nodes;
  }

  #sizeOf(child: YChild): number {
    return child instanceof Y.XmlText ? child.length : child instanceof Y.XmlElement ? this.#nodeOf(child)?.nodeSize ?? 0 : 0;
  }

  #relativeIn(parent: YParent, at: number): Y.RelativePosition | null {
    let rest = at;
    let last: Y.XmlText | null = null;
    for (const child of parent.toArray() as YChild[]) {
      const size = this.#sizeOf(child);
      if (child instanceof Y.XmlText) {
        if (rest >= 0 && rest <= size) return Y.createRelativePositionFromTypeIndex(child, rest, -1);
        last = child;
      } else if (child instanceof Y.XmlElement && rest > 0 && rest < size) return this.#relativeIn(child, rest - 1);
      rest -= size;
    }
    if (last && rest === 0) return Y.createRelativePositionFromTypeIndex(last, last.length, -1);
    return rest === 0 ? Y.createRelativePositionFromTypeIndex(parent, parent.length, -1) : null;
  }

  /** The text that holds a place, and where in it. */
  #textAt(parent: YParent, at: number): { text: Y.XmlText; offset: number } | null {
    let rest = at;
    for (const child of parent.toArray() as YChild[]) {
      const size = this.#sizeOf(child);
      if (child instanceof Y.XmlText && rest >= 0 && rest <= size) return { text: child, offset: rest };
      if (child instanceof Y.XmlElement && rest > 0 && rest < size) return this.#textAt(child, rest - 1);
      rest -= size;
    }
    return null;
  }

  #sizeBefore(type: YParent | Y.XmlText, index: number): number | null {
    if (type instanceof Y.XmlText) return index;
    if (!(type instanceof Y.XmlFragment)) return null;
    return (type.toArray() as YChild[]).slice(0, index).reduce((sum, child) => sum + this.#sizeOf(child), 0);
  }

  #startOf(type: YParent | Y.XmlText, inside: number): number | null {
    let at = inside;
    let one: Y.AbstractType<any> = type;
    while (one !== this.body) {
      const { parent } = one as YChild;
      if (!parent || one._item?.deleted) return null;
      const before = (parent as YParent).toArray() as unknown[];
      at += this.#sizeBefore(parent as YParent, before.indexOf(one))!;
      if (one instanceof Y.XmlElement) at += 1;
      one = parent as Y.AbstractType<any>;
    }
    return at;
  }
}

/** Undo must not take a block away in which others have written meanwhile. */
const isEmpty = ({ content }: Y.Item): boolean => !(content instanceof Y.ContentType && content.type._length);

interface Change { start: number; endOld: number; endNew: number }

/** The letters between two places of one block; null when there is more than text. */
const textIn = (doc: Node, from: number, to: number): string | null => {
  let text: string | null = "";
  doc.slice(from, to).content.forEach((node) => {
    text = text === null || !node.isText ? null : text + node.text;
  });
  return text;
};

const isHalf = (doc: Node, at: number): boolean =>
  at > 0 && at < doc.content.size && /^[\ud800-\udbff][\udc00-\udfff]$/.test(doc.textBetween(at - 1, at + 1, "\n", "\n"));

/** The one range in which two documents differ; null: they are equal. Never half of a surrogate pair. */
const difference = (old: Node, next: Node): Change | null => {
  let start = old.content.findDiffStart(next.content);
  const end = old.content.findDiffEnd(next.content);
  if (start === null || !end) return null;
  const overlap = Math.max(0, start - Math.min(end.a, end.b));
  let endOld = end.a + overlap;
  let endNew = end.b + overlap;
  if (isHalf(old, start) || isHalf(next, start)) start--;
  if (isHalf(old, endOld) || isHalf(next, endNew)) {
    endOld++;
    endNew++;
  }
  return { start, endOld, endNew };
};

/** Of several equal letters it is the one before the caret that was typed, or behind it that was deleted. */
const atCaret = (change: Change, old: Node, next: Node, caret: number): Change => {
  const { start, endOld, endNew } = change;
  const by = endNew - caret;
  if (by <= 0 || start < by) return change;
  const same = old.slice(endOld - by, endOld).eq(next.slice(caret, endNew));
  return same ? { start: start - by, endOld: endOld - by, endNew: caret } : change;
};

/** The step from the state's document to `next`, as small as may be. */
const replaced = (state: EditorState, next: Node, { start, endOld, endNew }: Change): Transaction => {
  const tr = state.tr;
  const small = tr.maybeStep(new ReplaceStep(start, endOld, next.slice(start, endNew)));
  if (!small.failed && tr.doc.eq(next)) return tr;
  return state.tr.step(new ReplaceStep(0, state.doc.content.size, new Slice(next.content, 0, 0)));
};
