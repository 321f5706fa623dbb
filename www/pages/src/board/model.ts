// SPDX-License-Identifier: MIT
// What the board's document holds: `notes`, a map of maps, and `ink`, an array
// of strokes whose points grow while they are drawn. Everything read from it is
// checked: anybody can write anything into a shared document.
import * as Y from "yjs";
import { safeColor } from "../shared/site.js";

export const WIDTH = 1600;
export const HEIGHT = 1000;
export const NOTE_WIDTH = 260;
const MOST_POINTS = 20000;
const CAPTURE_MS = 400;

export type Note = Y.Map<unknown>;
export type Stroke = Y.Map<unknown>;

export const clamp = (n: unknown, most: number): number =>
  typeof n === "number" && Number.isFinite(n) ? Math.round(Math.min(most, Math.max(0, n))) : 0;

export class Board {
  readonly notes: Y.Map<Note>;
  readonly ink: Y.Array<Stroke>;
  readonly undo: Y.UndoManager;

  constructor(readonly doc: Y.Doc) {
    this.notes = doc.getMap<Note>("notes");
    this.ink = doc.getArray<Stroke>("ink");
    this.undo = new Y.UndoManager([this.notes, this.ink], { captureTimeout: CAPTURE_MS, trackedOrigins: new Set([this]) });
  }

  change(work: () => void): void {
    this.doc.transact(work, this);
  }

  addNote(id: string, x: number, y: number, color: string): void {
    this.undo.stopCapturing();
    this.change(() => this.notes.set(id, new Y.Map<unknown>([
      ["x", clamp(x, WIDTH - NOTE_WIDTH)], ["y", clamp(y, HEIGHT - 190)], ["color", color], ["text", new Y.Text()],
    ])));
  }

  moveNote(id: string, x: number, y: number): void {
    const note = this.notes.get(id);
    if (note) this.change(() => {
      note.set("x", clamp(x, WIDTH - NOTE_WIDTH));
      note.set("y", clamp(y, HEIGHT - 190));
    });
  }

  removeNote(id: string): void {
    this.undo.stopCapturing();
    this.change(() => this.notes.delete(id));
    this.undo.stopCapturing();
  }

  /** Turns what a text field now says into the smallest edit. */
  typeInto(text: Y.Text, now: string): void {
    const old = text.toString();
    let start = 0;
    while (start < old.length && start < now.length && old[start] === now[start]) start++;
    let end = 0;
    while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;
    this.change(() => {
      if (old.length - end > start) text.delete(start, old.length - end - start);
      if (now.length - end > start) text.insert(start, now.slice(start, now.length - end));
    });
  }

  /** Until `endStroke` everything is one step to undo, however slow the hand. */
  beginStroke(color: string): Stroke {
    this.undo.stopCapturing();
    this.undo.captureTimeout = Infinity;
    const stroke = new Y.Map<unknown>([["color", color], ["points", new Y.Array<number>()]]);
    this.change(() => this.ink.push([stroke]));
    return stroke;
  }

  extendStroke(stroke: Stroke, points: number[]): void {
    const array = stroke.get("points");
    if (array instanceof Y.Array && array.length < MOST_POINTS) this.change(() => array.push(points));
  }

  endStroke(): void {
    this.undo.captureTimeout = CAPTURE_MS;
    this.undo.stopCapturing();
  }

  clearInk(): void {
    this.undo.stopCapturing();
    this.change(() => this.ink.delete(0, this.ink.length));
  }
}

/** A note as it may be drawn, or null. */
export const readNote = (note: unknown): { x: number; y: number; color: string; text: Y.Text } | null => {
  if (!(note instanceof Y.Map)) return null;
  const text = note.get("text");
  if (!(text instanceof Y.Text)) return null;
  return { x: clamp(note.get("x"), WIDTH), y: clamp(note.get("y"), HEIGHT), color: safeColor(note.get("color")), text };
};

export const readStroke = (stroke: unknown): { color: string; points: number[] } | null => {
  if (!(stroke instanceof Y.Map)) return null;
  const points = stroke.get("points");
  if (!(points instanceof Y.Array)) return null;
  return { color: safeColor(stroke.get("color")), points: points.toArray().filter((n): n is number => typeof n === "number") };
};
