// SPDX-License-Identifier: MIT
// Where everybody's pointer is: sent twenty times a second, drawn as it comes.
import type { RoomdProvider } from "roomd-client";
import { h } from "../shared/dom.js";
import type { UserState } from "../shared/people.js";
import { safeColor, safeName } from "../shared/site.js";
import { HEIGHT, WIDTH, clamp } from "./model.js";

const SEND_MS = 50;
const SVG = "http://www.w3.org/2000/svg";

interface Hand extends UserState {
  at?: unknown;
}

const arrow = (): SVGElement => {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M3 2l17 9-8 2-3 8z");
  svg.append(path);
  return svg;
};

/** Tells where this page's hand is; at most every 50 ms, the newest wins. */
export const handSender = (provider: RoomdProvider): ((at: [number, number] | null) => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let next: [number, number] | null = null;
  return (at) => {
    next = at && [clamp(at[0], WIDTH), clamp(at[1], HEIGHT)];
    timer ??= setTimeout(() => {
      timer = undefined;
      provider.awareness.setLocalStateField("at", next);
    }, SEND_MS);
  };
};

export const mountHands = (layer: HTMLElement, provider: RoomdProvider): void => {
  const { awareness } = provider;
  const shown = new Map<number, HTMLElement>();
  let due = 0;
  const draw = () => {
    due = 0;
    const states = awareness.getStates() as Map<number, Hand>;
    for (const [id, element] of shown) {
      if (Array.isArray(states.get(id)?.at)) continue;
      element.remove();
      shown.delete(id);
    }
    for (const [id, state] of states) {
      if (id === awareness.clientID || !Array.isArray(state.at) || shown.size > 200) continue;
      let element = shown.get(id);
      if (!element) {
        shown.set(id, element = h("div", { class: "hand", "data-client": id }, arrow(), h("b")));
        layer.append(element);
      }
      element.style.transform = `translate(${clamp(state.at[0], WIDTH)}px, ${clamp(state.at[1], HEIGHT)}px)`;
      element.style.setProperty("--user", safeColor(state.user?.color));
      element.dataset.transport = state.transport === "longpoll" ? "longpoll" : "websocket";
      const name = safeName(state.user?.name);
      const label = element.lastElementChild!;
      if (label.textContent !== name) label.textContent = name;
    }
  };
  awareness.on("change", () => {
    due ||= requestAnimationFrame(draw);
  });
  draw();
};
