// SPDX-License-Identifier: MIT
// The connection, where one can see it: transport, round trip, bytes,
// reconnects, what is not saved yet; and the two switches that make a demo of
// it, a network without WebSockets and no network at all.
import type { Health, RoomdProvider, RoomdSocket } from "roomd-client";
import { bytes, h, motionAllowed } from "./dom.js";
import { askedTransport } from "./site.js";
import "./panel.css";

const transportNames = { websocket: "WebSocket", longpoll: "Long-poll" } as const;

const saved = (provider: RoomdProvider, offline: boolean): string => {
  if (provider.readOnly) return "Read only";
  const { pending } = provider;
  if (pending && offline) return `${pending} ${provider.stored ? "kept here" : provider.persistence ? "storing" : "on this page"}`;
  if (pending) return `${pending} saving`;
  return provider.synced ? "All saved" : "Waiting";
};

const stateText = (health: Health, offline: boolean): string => {
  if (offline) return "Offline";
  return health.state === "open" ? transportNames[health.transport] : "Connecting";
};

const toggle = (label: string, hint: string, checked: boolean, change: (on: boolean) => void): HTMLElement => {
  const id = `switch-${label.replace(/\W+/g, "-").toLowerCase()}`;
  const input = h("input", {
    type: "checkbox", role: "switch", checked, "aria-describedby": id,
    onchange: (event: Event) => change((event.target as HTMLInputElement).checked),
  });
  return h("label", { class: "switch" }, input, h("span", {}, label, h("small", { id }, hint)));
};

const reading = (name: string) => {
  const value = h("dd", {}, "–");
  return { value, row: h("div", {}, h("dt", {}, name), value) };
};

/** Fills `element`; returns the way to stop. */
export const mountPanel = (element: HTMLElement, socket: RoomdSocket, provider: RoomdProvider): (() => void) => {
  let offline = false;
  const pulse = h("span", { class: "pulse" });
  const wire = h("div", { class: "wire", "aria-hidden": true }, "here", h("span", { class: "run" }, pulse), "roomd");
  const rows = {
    transport: reading("Transport"), rtt: reading("Round trip"), sent: reading("Sent"),
    received: reading("Received"), reconnects: reading("Reconnects"), saved: reading("Changes"),
  };
  const live = h("p", { class: "hidden-text", role: "status" });
  const note = h("p", { class: "trouble", hidden: true });
  element.classList.add("panel");
  element.replaceChildren(
    h("h2", {}, "Connection"), wire,
    h("dl", { class: "readings" }, ...Object.values(rows).map((row) => row.row)), note, live,
    toggle("Behave like a locked-down network", "WebSockets are refused, long-poll carries everything", askedTransport === "longpoll",
      (on) => socket.setTransport(on ? "longpoll" : "auto")),
    toggle("Work offline", "Edits stay here and merge when you return", false, (on) => {
      offline = on;
      if (on) socket.disconnect();
      else socket.connect();
      draw();
    }),
  );

  const set = (name: keyof typeof rows, text: string) => {
    const { value } = rows[name];
    if (value.textContent !== text) value.textContent = text;
  };

  let announced = "";
  const draw = () => {
    const { health } = socket;
    const state = stateText(health, offline);
    const change = saved(provider, offline);
    wire.dataset.transport = health.transport;
    wire.dataset.state = health.state;
    rows.transport.value.dataset.transport = health.state === "open" ? health.transport : "";
    set("transport", state);
    set("rtt", health.rtt === null ? "–" : `${health.rtt} ms`);
    set("sent", bytes(health.sentBytes));
    set("received", bytes(health.receivedBytes));
    set("reconnects", String(health.reconnects));
    set("saved", change);
    note.hidden = !provider.error;
    note.textContent = provider.error ? errorText(provider.error.code) : "";
    const line = `${state}. ${provider.pending ? "Changes not saved yet." : ""}`;
    if (line !== announced) live.textContent = announced = line;
  };

  let seen = 0;
  const beat = () => {
    draw();
    const now = socket.health.receivedMessages + socket.health.sentMessages;
    if (now !== seen && motionAllowed() && document.visibilityState === "visible") {
      const width = pulse.parentElement!.clientWidth;
      pulse.animate([
        { transform: "translateX(0)", opacity: 1 }, { transform: `translateX(${width - 9}px)`, opacity: 1 },
      ], { duration: 450, easing: "ease-in-out" });
    }
    seen = now;
  };

  const timer = setInterval(beat, 1000);
  const offHealth = socket.onHealth(draw);
  const events = ["pending", "stored", "synced", "status", "error", "read-only"] as const;
  for (const event of events) provider.on(event, draw);
  draw();
  return () => {
    clearInterval(timer);
    offHealth();
    for (const event of events) provider.off(event, draw);
  };
};

const errorText = (code: string): string => ({
  join: "The server does not let this page into the room. It keeps trying.",
  rejected: "The server refused a change made here.",
  channel: "The room failed on the server and is being joined again.",
  offline: "This device cannot keep the document; edits live in this page only.",
  message: "A message from the server could not be read.",
})[code] ?? "Something went wrong.";
