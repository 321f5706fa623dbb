// SPDX-License-Identifier: MIT
// How much goes over this page's connection, and robots to make it more: each
// has a connection of its own and a hand that never rests.
import { RoomdProvider, connect, type RoomdSocket } from "roomd-client";
import * as Y from "yjs";
import { h } from "../shared/dom.js";
import { colors, socketUrl } from "../shared/site.js";
import { HEIGHT, WIDTH } from "./model.js";

const MOST_ROBOTS = 12;
const SECONDS = 60;

class Robot {
  #socket = connect(socketUrl, { transport: "websocket", params: { user_id: "robot" }, pingIntervalMs: 0 });
  #provider: RoomdProvider;
  #timer: ReturnType<typeof setInterval>;

  constructor(topic: string, index: number) {
    this.#provider = new RoomdProvider(this.#socket, topic, new Y.Doc(), { disableBc: true });
    const user = { name: `Robot ${index + 1}`, color: colors[index % colors.length] };
    const started = performance.now();
    const [a, b] = [0.21 + 0.05 * index, 0.34 + 0.037 * index];
    const tick = () => {
      const t = (performance.now() - started) / 1000 + index * 7;
      const at = [WIDTH * (0.5 + 0.42 * Math.sin(a * t)), HEIGHT * (0.5 + 0.4 * Math.sin(b * t + index))].map(Math.round);
      this.#provider.awareness.setLocalState({ user, transport: "websocket", robot: true, at });
    };
    tick();
    this.#timer = setInterval(tick, 50);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#provider.destroy();
    this.#socket.disconnect();
  }
}

export const mountLoad = (element: HTMLElement, socket: RoomdSocket, topic: string): void => {
  const robots: Robot[] = [];
  const canvas = h("canvas", { "aria-hidden": true });
  const text = h("p", {}, "–");
  const shown = h("span", {}, "0");
  const input = h("input", { type: "range", min: 0, max: MOST_ROBOTS, value: 0, step: 1, id: "robots" });
  input.addEventListener("input", () => {
    const wanted = Number(input.value);
    while (robots.length < wanted) robots.push(new Robot(topic, robots.length));
    while (robots.length > wanted) robots.pop()?.stop();
    shown.textContent = String(wanted);
  });
  element.classList.add("load");
  element.replaceChildren(h("h2", {}, "Load"), canvas, text, h("label", { for: "robots" }, "Robots with hands of their own", shown, input));

  const rates: [number, number][] = [];
  let last = socket.health;
  const draw = () => {
    const context = canvas.getContext("2d");
    if (!context) return;
    const density = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * density;
    canvas.height = height * density;
    context.scale(density, density);
    const style = getComputedStyle(element);
    const most = Math.max(20, ...rates.map(([inward, outward]) => Math.max(inward, outward)));
    const step = width / (SECONDS - 1);
    for (const [which, color] of [[0, "--ws"], [1, "--soft"]] as const) {
      context.strokeStyle = style.getPropertyValue(color);
      context.lineWidth = 2;
      context.lineJoin = "round";
      context.beginPath();
      rates.forEach((rate, i) => context.lineTo((SECONDS - rates.length + i) * step, height - 2 - (height - 6) * rate[which] / most));
      context.stroke();
    }
  };
  setInterval(() => {
    const now = socket.health;
    rates.push([Math.max(0, now.receivedMessages - last.receivedMessages), Math.max(0, now.sentMessages - last.sentMessages)]);
    if (rates.length > SECONDS) rates.shift();
    last = now;
    const [inward, outward] = rates.at(-1)!;
    text.textContent = `${inward} messages/s in, ${outward} out`;
    if (document.visibilityState === "visible") draw();
  }, 1000);
};
