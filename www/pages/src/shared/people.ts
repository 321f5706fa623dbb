// SPDX-License-Identifier: MIT
// Who is in the room: what each page says of itself (awareness), each with its
// transport; and how many the server counts (presence).
import type { RoomdProvider, RoomdSocket } from "roomd-client";
import { h } from "./dom.js";
import { me, rename, safeColor, safeName, sameRoom, randomId } from "./site.js";

export interface UserState {
  user?: { name?: unknown; color?: unknown };
  transport?: unknown;
}

/** Tells the others who this is, and over what. */
export const introduce = (socket: RoomdSocket, provider: RoomdProvider): (() => void) => {
  const { awareness } = provider;
  const say = () => {
    const state = awareness.getLocalState() as (UserState & object) | null;
    const { transport } = socket.health;
    const { user } = state ?? {};
    if (state?.transport === transport && user?.name === me.name && user?.color === me.color) return;
    awareness.setLocalState({ ...state, user: { ...me }, transport });
  };
  say();
  const off = socket.onHealth((health) => health.state === "open" && say());
  addEventListener("roomd-renamed", say);
  return () => {
    off();
    removeEventListener("roomd-renamed", say);
  };
};

export const face = (user: UserState["user"], transport: unknown): HTMLElement => {
  const name = safeName(user?.name);
  const element = h("span", { class: "face", "aria-hidden": true }, [...name][0]!.toUpperCase());
  element.style.setProperty("--user", safeColor(user?.color));
  if (transport === "longpoll") element.dataset.transport = "longpoll";
  return element;
};

const how = (transport: unknown) => (transport === "longpoll" ? "long-poll" : "WebSocket");

/** Fills `element` with the list, one's own name first and editable. */
export const mountPeople = (element: HTMLElement, provider: RoomdProvider): (() => void) => {
  const { awareness } = provider;
  const list = h("ul", { "aria-label": "People in this room" });
  const count = h("span", { class: "quiet" });
  const input = h("input", { value: me.name, "aria-label": "Your name", maxlength: 40, autocomplete: "off", spellcheck: "false" });
  input.addEventListener("change", () => {
    rename(input.value);
    input.value = me.name;
    dispatchEvent(new Event("roomd-renamed"));
  });
  const own = h("li", {});
  const ownHow = h("span", { class: "how" });
  own.append(face(me, null), input, ownHow);
  element.classList.add("people");
  element.replaceChildren(h("h2", {}, "In this room ", count), list, h("p", { class: "invite" },
    h("a", { href: sameRoom({ transport: null }), target: "_blank", rel: "noopener" }, "Open a second page"),
    h("a", { href: sameRoom({ transport: "longpoll" }), target: "_blank", rel: "noopener" }, "Open one on long-poll"),
    h("a", { href: sameRoom({ room: randomId() }) }, "New room")));

  const draw = () => {
    const states = [...awareness.getStates() as Map<number, UserState>].filter(([, state]) => state.user);
    const others = states.filter(([id]) => id !== awareness.clientID);
    const mine = states.find(([id]) => id === awareness.clientID)?.[1];
    own.firstElementChild?.replaceWith(face(me, mine?.transport));
    ownHow.textContent = `you, ${how(mine?.transport)}`;
    const shown = others.slice(0, 12).map(([id, state]) => {
      const row = h("li", {}, face(state.user, state.transport), h("span", {}, safeName(state.user?.name)), h("span", { class: "how" }, how(state.transport)));
      row.dataset.client = String(id);
      return row;
    });
    const more = others.length - shown.length;
    if (!list.contains(own)) list.append(own);
    for (const row of [...list.children]) if (row !== own) row.remove();
    list.append(...shown, ...(more > 0 ? [h("li", {}, h("span"), `and ${more} more`)] : []));
    const pages = provider.presence.reduce((sum, entry) => sum + entry.metas.length, 0) || others.length + 1;
    count.textContent = String(pages);
  };
  awareness.on("change", draw);
  provider.on("presence", draw);
  draw();
  return () => {
    awareness.off("change", draw);
    provider.off("presence", draw);
  };
};
