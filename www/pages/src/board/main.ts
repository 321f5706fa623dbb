// SPDX-License-Identifier: MIT
// The board: tools, pointer, and the parts put together.
import { RoomdProvider, connect } from "roomd-client";
import * as Y from "yjs";
import { byId, h } from "../shared/dom.js";
import { mountPanel } from "../shared/panel.js";
import { introduce, mountPeople } from "../shared/people.js";
import { askedTransport, randomId, roomName, setUpTheme, socketUrl, userId } from "../shared/site.js";
import { handSender, mountHands } from "./hands.js";
import { mountInk } from "./ink.js";
import { mountLoad } from "./load.js";
import { Board, HEIGHT, NOTE_WIDTH, WIDTH } from "./model.js";
import { mountNotes } from "./notes.js";
import "../shared/base.css";
import "./board.css";

type Tool = "move" | "note" | "pen";

setUpTheme();
const topic = `board:${roomName("board")}`;
const socket = connect(socketUrl, { transport: askedTransport, params: { user_id: userId } });
const doc = new Y.Doc();
const provider = new RoomdProvider(socket, topic, doc, { disableBc: true });
const board = new Board(doc);
introduce(socket, provider);

const scroll = byId("scroll");
const world = byId("world");
let scale = 1;
const fit = () => {
  scale = Math.max(0.7, scroll.clientWidth / WIDTH);
  world.style.transform = `scale(${scale})`;
  world.style.marginBottom = `${HEIGHT * (scale - 1)}px`;
  world.style.marginRight = `${WIDTH * (scale - 1)}px`;
};
new ResizeObserver(fit).observe(scroll);
fit();

const notes = mountNotes(byId("notes"), board, () => scale);
const ink = mountInk(byId<HTMLCanvasElement>("ink"), board);
mountHands(byId("hands"), provider);
mountLoad(byId("load"), socket, topic);
mountPanel(byId("panel"), socket, provider);
mountPeople(byId("people"), provider);

// Light enough for dark letters on a note, strong enough to draw with on either ground.
const palette: [string, string][] = [
  ["Yellow", "#f2c94c"], ["Orange", "#f2994a"], ["Pink", "#f28ab2"], ["Green", "#6fcf97"], ["Blue", "#6db6f2"], ["Grey", "#b9c2bc"],
];
let color = palette[0]![1];
let tool: Tool = "move";

const toolButtons = new Map<Tool, HTMLButtonElement>();
const choose = (next: Tool) => {
  tool = next;
  world.dataset.tool = next;
  for (const [name, button] of toolButtons) button.setAttribute("aria-pressed", String(name === next));
};
const addNote = (x: number, y: number) => {
  const id = randomId();
  board.addNote(id, x - NOTE_WIDTH / 2, y - 15, color);
  choose("move");
  requestAnimationFrame(() => notes.focus(id));
};
const middle = (): [number, number] => [
  (scroll.scrollLeft + scroll.clientWidth / 2) / scale + Math.random() * 80 - 40,
  (scroll.scrollTop + scroll.clientHeight / 3) / scale + Math.random() * 80 - 40,
];

const toolButton = (name: Tool, label: string) => {
  const button = h("button", { type: "button", class: "tool" }, label);
  button.addEventListener("click", (event) => {
    // From the keyboard there is no place to click next: the note comes at once.
    if (name === "note" && event.detail === 0) addNote(...middle());
    else choose(name);
  });
  toolButtons.set(name, button);
  return button;
};
const swatches = h("div", { class: "group", role: "radiogroup", "aria-label": "Colour" });
palette.forEach(([name, value], i) => {
  const button = h("button", {
    type: "button", class: "color", role: "radio", "aria-label": name, "aria-checked": String(i === 0), title: name,
    onclick: () => {
      color = value;
      for (const other of swatches.children) other.setAttribute("aria-checked", String(other === button));
    },
  });
  button.style.setProperty("--chip", value);
  swatches.append(button);
});
byId("kit").append(
  h("div", { class: "group" }, toolButton("move", "Move"), toolButton("note", "Note"), toolButton("pen", "Pen")),
  swatches,
  h("div", { class: "group" },
    h("button", { type: "button", class: "tool", onclick: () => board.undo.undo() }, "Undo"),
    h("button", { type: "button", class: "tool", onclick: () => board.clearInk() }, "Clear ink")),
);
choose("move");

const placeOf = (event: PointerEvent): [number, number] => {
  const box = world.getBoundingClientRect();
  return [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
};
const sendHand = handSender(provider);
let drawing: number | null = null;
world.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  const at = placeOf(event);
  if (tool === "note" && !(event.target as Element).closest(".note")) {
    event.preventDefault();
    addNote(...at);
  }
  if (tool !== "pen") return;
  event.preventDefault();
  world.setPointerCapture(event.pointerId);
  drawing = event.pointerId;
  ink.begin(...at, color);
});
world.addEventListener("pointermove", (event) => {
  sendHand(placeOf(event));
  if (event.pointerId !== drawing) return;
  const parts = event.getCoalescedEvents?.() ?? [];
  for (const part of parts.length ? parts : [event]) ink.extend(...placeOf(part));
});
const lift = (event: PointerEvent) => {
  if (event.pointerId !== drawing) return;
  drawing = null;
  ink.end();
};
world.addEventListener("pointerup", lift);
world.addEventListener("pointercancel", lift);
world.addEventListener("pointerleave", () => sendHand(null));
addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA)$/.test((document.activeElement?.tagName ?? ""));
  if (!typing && (event.ctrlKey || event.metaKey) && event.key === "z") {
    event.preventDefault();
    if (event.shiftKey) board.undo.redo();
    else board.undo.undo();
  }
});
