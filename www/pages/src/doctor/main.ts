// SPDX-License-Identifier: MIT
// The connection check: runs in the browser of whoever has the trouble, tells
// in plain words what works, and makes a report to send on. `?seconds=` watches
// for another time than a minute, `?run=no` waits to be asked.
import { byId, h } from "../shared/dom.js";
import { root, setUpTheme } from "../shared/site.js";
import { checkIds, judge, lane, type CheckId, type Outcome, type Outcomes } from "./advice.js";
import { Failed, Lp, Ws, noise, seconds, within } from "./wire.js";
import "../shared/base.css";
import "./doctor.css";

const LIMIT_MS = 10000;
const LARGE = 200000;
const HEARTBEAT_MS = 30000;
const asked = Number(new URLSearchParams(location.search).get("seconds") ?? NaN);
const WATCH_MS = (asked >= 1 && asked <= 600 ? asked : 60) * 1000;
const socket = new URL("socket/", root);

const titles: Record<CheckId, string> = {
  reach: "The server answers",
  path: "What stands between",
  clock: "Clocks agree",
  "ws-open": "A WebSocket opens",
  "ws-echo": "Messages on it come back",
  "ws-large": "Large ones too",
  "lp-open": "Long-poll opens",
  "lp-echo": "Messages by it come back",
  "lp-large": "Large ones too",
  buffer: "Responses are not held back",
  "lp-wait": "A waiting poll is left alone",
  "ws-live": "A WebSocket stays open",
};
const words = { waiting: "not yet", running: "running", ok: "works", warn: "note", bad: "fails", skip: "left out" } as const;

setUpTheme();

let outcomes: Outcomes;
let seen: Seen | null = null;
let runs = 0;

interface Seen {
  version: string;
  now_ms: number;
  client: string;
  peer: string;
  http: string;
  headers: Record<string, string>;
  idle_timeout_ms: number;
  longpoll_window_ms: number;
}

/* showing */

const report = (): string => {
  const { title, text, advice } = judge(outcomes, socket);
  return [
    `Connection check of ${new URL(".", socket).origin}${socket.pathname}`,
    `${new Date().toISOString()}, ${navigator.userAgent}`,
    "", `${title}. ${text}`, "",
    ...checkIds.map((id) => `${`[${words[outcomes[id].state]}]`.padEnd(11)} ${titles[id]}${id.startsWith("lp-") ? " (long-poll)" : id.startsWith("ws-") ? " (WebSocket)" : ""}: ${outcomes[id].text}`),
    ...(advice.length ? ["", "For the network team:", ...advice.map((line) => `- ${line}`)] : []),
    "", `What the server saw: ${seen ? JSON.stringify(seen) : "nothing"}`,
  ].join("\n");
};

const show = (): void => {
  const verdict = judge(outcomes, socket);
  const box = byId("verdict");
  if (box.dataset.level !== verdict.level || box.firstElementChild!.textContent !== verdict.title) {
    box.dataset.level = verdict.level;
    box.replaceChildren(h("h1", {}, verdict.title), h("p", {}, verdict.text));
  }
  byId("lane-ws").dataset.state = lane(outcomes, "ws-");
  byId("lane-lp").dataset.state = lane(outcomes, "lp-");
  byId("checks").replaceChildren(...checkIds.map((id) => h("li", { "data-state": outcomes[id].state, "data-check": id },
    h("b", {}, titles[id]), h("span", { class: "state" }, words[outcomes[id].state]), h("p", {}, outcomes[id].text))));
  byId("advice").hidden = verdict.advice.length === 0;
  byId("advice-list").replaceChildren(...verdict.advice.map((line) => h("li", {}, line)));
  byId("report").textContent = report();
};

/* checking */

const say = (error: unknown): Outcome => error instanceof Failed
  ? { state: "bad", text: error.message, kind: error.kind }
  : { state: "bad", text: error instanceof Error ? error.message : String(error), kind: "cut" };

const median = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

const hello = async (): Promise<{ url: string; at: number; took: number }> => {
  const url = new URL(`doctor.json?${Math.random()}`, root).href;
  const began = performance.now();
  const answer = await within(LIMIT_MS, fetch(url, { cache: "no-store" }).catch(() => {
    throw new Failed("cut", "the request failed: the name is not found, the certificate is not trusted, or the connection was refused");
  }), "a request");
  const text = await within(LIMIT_MS, answer.text(), "a request");
  const took = performance.now() - began;
  const at = Date.now() - took / 2;
  try {
    seen = JSON.parse(text) as Seen;
  } catch {
    throw new Failed("answer", `something else answered: HTTP ${answer.status}, ${answer.headers.get("content-type") ?? "no type"}`);
  }
  return { url, at, took };
};

const stages = (url: string): string => {
  const [entry] = performance.getEntriesByName(url) as PerformanceResourceTiming[];
  const page = performance.getEntriesByType("navigation")[0] as PerformanceResourceTiming | undefined;
  const parts: string[] = [];
  for (const timing of [entry, page]) {
    if (!timing || parts.length) continue;
    if (timing.domainLookupEnd > timing.domainLookupStart) parts.push(`name ${seconds(timing.domainLookupEnd - timing.domainLookupStart)}`);
    if (timing.connectEnd > timing.connectStart) parts.push(`connection ${seconds((timing.secureConnectionStart || timing.connectEnd) - timing.connectStart)}`);
    if (timing.secureConnectionStart > 0) parts.push(`TLS ${seconds(timing.connectEnd - timing.secureConnectionStart)}`);
  }
  return parts.length ? ` (${parts.join(", ")})` : "";
};

const reach = async (): Promise<Outcome> => {
  const { url, took } = await hello();
  return { state: "ok", text: `in ${seconds(took)}${stages(url)}, ${location.protocol === "https:" ? "by https" : "by http, without TLS"}` };
};

const path = async (): Promise<Outcome> => {
  const { client, peer, headers, http } = seen!;
  const parts = [`this network’s address is ${client}`];
  if (peer !== client) parts.push(`the server’s own proxy is ${peer}`);
  if (headers.via) parts.push(`a proxy names itself: ${headers.via}`);
  if (http !== "1.1") parts.push(`requests arrive as HTTP/${http}`);
  return { state: "ok", text: parts.join("; ") };
};

const clock = async (): Promise<Outcome> => {
  const { at, took } = await hello();
  const off = seen!.now_ms - at;
  if (Math.abs(off) < 30000 + took) return { state: "ok", text: Math.abs(off) < took + 1000 ? "to the second" : `within ${seconds(Math.abs(off))}` };
  return { state: "warn", text: `this device is ${seconds(Math.abs(off))} ${off > 0 ? "behind" : "ahead"}` };
};

const held = async (): Promise<Outcome> => {
  const answer = await within(LIMIT_MS, fetch(new URL("doctor/drip", root), { cache: "no-store" }), "a request");
  const times: number[] = [];
  if (!answer.body) return { state: "skip", text: "this browser cannot tell" };
  const reader = answer.body.getReader();
  for (;;) {
    const { done } = await within(LIMIT_MS, reader.read(), "the next piece");
    if (done) break;
    times.push(performance.now());
  }
  const spread = times.length ? times.at(-1)! - times[0]! : 0;
  return spread > 600
    ? { state: "ok", text: `a slow response came in ${times.length} pieces over ${seconds(spread)}` }
    : { state: "warn", text: "a slow response came in one go: something collects it first" };
};

class Run {
  private ws: Ws | null = null;
  private lp: Lp | null = null;

  constructor(private readonly number: number) {}

  private set(id: CheckId, outcome: Outcome): void {
    if (this.number !== runs) return;
    outcomes[id] = outcome;
    show();
  }

  private async check(id: CheckId, work: () => Promise<Outcome>, needs = true): Promise<boolean> {
    if (this.number !== runs) return false;
    if (!needs) {
      this.set(id, { state: "skip", text: "since the one before fails" });
      return false;
    }
    this.set(id, { state: "running", text: "" });
    const outcome = await work().catch(say);
    this.set(id, outcome);
    return outcome.state === "ok";
  }

  private async webSocket(): Promise<void> {
    const open = await this.check("ws-open", async () => {
      const took = await timed(async () => { this.ws = await Ws.open(socket, LIMIT_MS); });
      return { state: "ok", text: `in ${seconds(took)}` };
    });
    const echo = await this.check("ws-echo", async () => {
      const times: number[] = [];
      for (let i = 0; i < 5; i++) times.push(await timed(() => this.ws!.echo({ n: i }, LIMIT_MS)));
      return { state: "ok", text: `there and back in ${seconds(median(times))}` };
    }, open);
    await this.check("ws-large", () => this.large((pad) => this.ws!.echo({ pad }, 2 * LIMIT_MS)), echo);
  }

  private async large(echo: (pad: string) => Promise<unknown>): Promise<Outcome> {
    const pad = noise(LARGE);
    let back: unknown;
    const took = await timed(async () => { back = await echo(pad); });
    if ((back as { pad?: string }).pad !== pad) return { state: "bad", text: "200 kB came back changed", kind: "answer" };
    return { state: "ok", text: `200 kB each way in ${seconds(took)}` };
  }

  private async longPoll(): Promise<void> {
    const open = await this.check("lp-open", async () => {
      const took = await timed(async () => { this.lp = await Lp.open(socket, LIMIT_MS); });
      return { state: "ok", text: `in ${seconds(took)}` };
    });
    const echo = await this.check("lp-echo", async () => {
      const times: number[] = [];
      for (let i = 0; i < 3; i++) times.push(await timed(() => this.lp!.echo({ n: i }, LIMIT_MS)));
      return { state: "ok", text: `there and back in ${seconds(median(times))}` };
    }, open);
    await this.check("lp-large", () => this.large((pad) => this.lp!.echo({ pad }, 2 * LIMIT_MS)), echo);
  }

  /** As an app's: a heartbeat each half minute, silence in between. */
  private async live(): Promise<Outcome> {
    const ws = this.ws!;
    const began = performance.now();
    const beat = setInterval(() => { ws.echo({}, LIMIT_MS).catch(() => {}); }, HEARTBEAT_MS);
    const tick = setInterval(() => {
      const left = WATCH_MS - (performance.now() - began);
      this.set("ws-live", { state: "running", text: `${seconds(Math.max(left, 0))} to go` });
    }, 1000);
    try {
      const end = await Promise.race([ws.ended, new Promise<null>((resolve) => setTimeout(() => resolve(null), WATCH_MS))]);
      if (end) return { state: "bad", text: `cut after ${seconds(end.afterMs)} (code ${end.code})`, kind: "cut" };
      await ws.echo({}, LIMIT_MS);
      return { state: "ok", text: `for ${seconds(performance.now() - began)}` };
    } finally {
      clearInterval(beat);
      clearInterval(tick);
      ws.close();
    }
  }

  async all(): Promise<void> {
    const reached = await this.check("reach", reach);
    await this.check("path", path, reached);
    await this.check("clock", clock, reached);
    await this.webSocket();
    await this.longPoll();
    await Promise.all([
      this.check("buffer", held, reached),
      this.check("lp-wait", async () => {
        const took = await timed(() => this.lp!.poll(2 * LIMIT_MS));
        return { state: "ok", text: `answered after ${seconds(took)}, as it should` };
      }, outcomes["lp-echo"].state === "ok"),
      this.check("ws-live", () => this.live(), outcomes["ws-echo"].state === "ok"),
    ]);
    if (this.number === runs) document.documentElement.dataset.done = String(runs);
  }
}

const start = (): void => {
  runs++;
  seen = null;
  outcomes = Object.fromEntries(checkIds.map((id) => [id, { state: "waiting", text: "" }])) as unknown as Outcomes;
  show();
  void new Run(runs).all();
};

const select = (element: HTMLElement): void => {
  element.closest("details")!.open = true;
  getSelection()?.selectAllChildren(element);
};

byId("copy").addEventListener("click", () => {
  const done = (text: string): void => { byId("copied").textContent = text; };
  /* Only https pages have a clipboard. */
  const copying = navigator.clipboard ? navigator.clipboard.writeText(report()) : Promise.reject(new Error("none"));
  copying.then(() => done("Copied."), () => {
    select(byId("report"));
    done(document.execCommand("copy") ? "Copied." : "Marked: copy it with your device’s own command.");
  });
});
byId("again").addEventListener("click", start);
start();
