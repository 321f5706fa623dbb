// @vitest-environment jsdom
// SPDX-License-Identifier: MIT
import * as Y from "yjs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Board } from "../src/board/model.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a stroke drawn with pauses is one step to undo", () => {
  const board = new Board(new Y.Doc());
  const before = board.beginStroke("#000000");
  board.extendStroke(before, [1, 1, 2, 2]);
  board.endStroke();
  const stroke = board.beginStroke("#000000");
  for (let i = 0; i < 3; i++) {
    board.extendStroke(stroke, [i, i]);
    vi.advanceTimersByTime(2000);
  }
  board.endStroke();
  expect(board.ink.length).toBe(2);
  board.undo.undo();
  expect(board.ink.length).toBe(1);
  board.undo.undo();
  expect(board.ink.length).toBe(0);
});
