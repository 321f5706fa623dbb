// SPDX-License-Identifier: MIT
// The notes as elements: dragged by their edge, moved by arrow keys, typed into.
import type * as Y from "yjs";
import { h } from "../shared/dom.js";
import { readNote, type Board } from "./model.js";

interface Shown {
  element: HTMLElement;
  area: HTMLTextAreaElement;
  text: Y.Text;
}

/** A remote edit must not throw the cursor about. */
const showText = (area: HTMLTextAreaElement, now: string) => {
  const old = area.value;
  if (old === now) return;
  const { selectionStart, selectionEnd } = area;
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  const shift = (at: number) => (at <= start ? at : Math.max(start, at + now.length - old.length));
  area.value = now;
  if (document.activeElement === area) area.setSelectionRange(shift(selectionStart), shift(selectionEnd));
};

export const mountNotes = (layer: HTMLElement, board: Board, scale: () => number): { focus: (id: string) => void } => {
  const shown = new Map<string, Shown>();

  const drag = (id: string, event: PointerEvent) => {
    const note = readNote(board.notes.get(id));
    if (!note || event.button !== 0) return;
    board.undo.stopCapturing();
    const { clientX, clientY, pointerId } = event;
    let next: [number, number] | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const send = () => {
      timer = undefined;
      if (next) board.moveNote(id, ...next);
    };
    const move = (e: PointerEvent) => {
      if (e.pointerId !== pointerId) return;
      next = [note.x + (e.clientX - clientX) / scale(), note.y + (e.clientY - clientY) / scale()];
      timer ??= setTimeout(send, 50);
    };
    const end = (e: PointerEvent) => {
      if (e.pointerId !== pointerId) return;
      clearTimeout(timer);
      send();
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };

  const key = (id: string, event: KeyboardEvent) => {
    const note = readNote(board.notes.get(id));
    const step = event.shiftKey ? 100 : 20;
    const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
    if (note && (dx || dy)) {
      event.preventDefault();
      board.moveNote(id, note.x + dx!, note.y + dy!);
    }
    if (event.key === "Delete" || event.key === "Backspace") board.removeNote(id);
  };

  const make = (id: string, text: Y.Text): Shown => {
    const area = h("textarea", { "aria-label": "Note", placeholder: "Write", maxlength: 600, spellcheck: "false" });
    area.addEventListener("input", () => board.typeInto(text, area.value));
    const element = h("div", { class: "note", role: "group", "aria-label": "Note", "data-note": id },
      h("button", {
        class: "grab", type: "button", "aria-label": "Move this note: drag, or arrow keys", title: "Drag, or use the arrow keys",
        onpointerdown: (event: PointerEvent) => drag(id, event), onkeydown: (event: KeyboardEvent) => key(id, event),
      }),
      h("button", { class: "away", type: "button", "aria-label": "Delete this note", title: "Delete", onclick: () => board.removeNote(id) }, "×"),
      area);
    layer.append(element);
    return { element, area, text };
  };

  const draw = () => {
    for (const [id, { element }] of shown) {
      if (readNote(board.notes.get(id))) continue;
      element.remove();
      shown.delete(id);
    }
    for (const [id, value] of board.notes) {
      const note = readNote(value);
      if (!note) continue;
      let one = shown.get(id);
      if (one && one.text !== note.text) {
        one.element.remove();
        one = undefined;
      }
      if (!one) shown.set(id, one = make(id, note.text));
      one.element.style.transform = `translate(${note.x}px, ${note.y}px)`;
      one.element.style.setProperty("--note-color", note.color);
      showText(one.area, note.text.toString());
    }
  };
  board.notes.observeDeep(draw);
  draw();
  return { focus: (id) => shown.get(id)?.area.focus() };
};
