// SPDX-License-Identifier: MIT
// Everybody on the first page, as dots where their pointers are on the plan.
import { RoomdProvider, connect } from "roomd-client";
import * as Y from "yjs";
import { h } from "../shared/dom.js";
import { introduce, type UserState } from "../shared/people.js";
import { askedTransport, safeColor, socketUrl, userId } from "../shared/site.js";

const SEND_MS = 50;

interface Dot extends UserState {
  at?: unknown;
}

const place = (at: unknown): [number, number] | null =>
  Array.isArray(at) && at.length === 2 && at.every((n) => typeof n === "number" && n >= 0 && n <= 1) ? at as [number, number] : null;

/** `connected` is called when the server has this page among its connections. */
export const lobby = (connected: () => void): void => {
  const plan = document.querySelector<HTMLElement>(".plan");
  const layer = document.querySelector<HTMLElement>(".dots");
  const caption = document.querySelector<HTMLElement>("[data-lobby]");
  if (!plan || !layer || !caption) return;
  const socket = connect(socketUrl, { transport: askedTransport, params: { user_id: userId } });
  const provider = new RoomdProvider(socket, "room:lobby", new Y.Doc(), { disableBc: true });
  const { awareness } = provider;
  // People who have not moved yet stand in the hall.
  const start: [number, number] = [0.08 + Math.random() * 0.5, 0.88 + Math.random() * 0.06];
  awareness.setLocalState({ at: start });
  introduce(socket, provider);
  socket.onHealth(({ state }) => state === "open" && connected());

  let timer: ReturnType<typeof setTimeout> | undefined;
  let at = start;
  plan.addEventListener("pointermove", (event) => {
    const box = plan.getBoundingClientRect();
    const clamp = (n: number) => Math.round(Math.min(1, Math.max(0, n)) * 1000) / 1000;
    at = [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
    timer ??= setTimeout(() => {
      timer = undefined;
      awareness.setLocalStateField("at", at);
    }, SEND_MS);
  });

  const dots = new Map<number, HTMLElement>();
  const draw = () => {
    const states = awareness.getStates() as Map<number, Dot>;
    for (const [id, dot] of dots) {
      if (states.has(id)) continue;
      dot.remove();
      dots.delete(id);
    }
    let others = 0;
    for (const [id, state] of [...states].slice(0, 200)) {
      const where = place(state.at);
      if (!where) continue;
      if (id !== awareness.clientID) others++;
      let dot = dots.get(id);
      if (!dot) {
        dots.set(id, dot = h("span", { class: "dot" }));
        layer.append(dot);
      }
      dot.style.setProperty("--user", safeColor(state.user?.color));
      dot.dataset.transport = state.transport === "longpoll" ? "longpoll" : "websocket";
      dot.style.transform = `translate(${where[0] * layer.clientWidth}px, ${where[1] * layer.clientHeight}px)`;
    }
    const people = others === 1 ? "one other person is" : `${others} others are`;
    caption.textContent = others ? `Each dot is somebody on this page: you, and ${people} here.` : "The dot is you. Open this page twice and there are two.";
  };
  awareness.on("change", draw);
  addEventListener("resize", draw);
  draw();
};
