// SPDX-License-Identifier: MIT
import { expect, test } from "vitest";
import { checkIds, judge, lane, type CheckId, type Outcomes, type State } from "../src/doctor/advice.js";

const url = new URL("https://rooms.example.com/socket/");
const all = (state: State, changes: Partial<Record<CheckId, [State, string?, string?]>> = {}): Outcomes =>
  Object.fromEntries(checkIds.map((id) => {
    const [s, kind, text] = changes[id] ?? [state];
    return [id, { state: s, text: text ?? "", kind }];
  })) as unknown as Outcomes;
const title = (outcomes: Outcomes): string => judge(outcomes, url).title;

test("all is well, or not yet known", () => {
  expect(title(all("ok"))).toBe("Everything works");
  expect(judge(all("ok"), url).advice).toEqual([]);
  expect(judge(all("waiting"), url).level).toBe("running");
  expect(judge(all("ok", { "ws-live": ["running"] }), url).level).toBe("running");
});

test("one transport, the other, neither", () => {
  const noWs = all("ok", { "ws-open": ["bad", "refused"], "ws-echo": ["skip"], "ws-large": ["skip"], "ws-live": ["skip"] });
  expect(title(noWs)).toBe("It works, by long-poll");
  expect(judge(noWs, url).advice.join("\n")).toMatch(/wss:\/\/rooms\.example\.com:443\/socket\/websocket[^]*TLS is inspected[^]*CONNECT to rooms\.example\.com:443/);
  expect(title(all("ok", { "lp-open": ["bad"], "lp-echo": ["skip"], "lp-large": ["skip"], "lp-wait": ["skip"] }))).toBe("It works, by WebSocket alone");
  expect(title(all("ok", { "ws-open": ["bad"], "lp-open": ["bad"] }))).toBe("Live connections do not get through");
  expect(title(all("bad"))).toBe("The server does not answer");
});

test("a transport that opens and fails later has advice of its own", () => {
  const cut = judge(all("ok", { "ws-live": ["bad", "cut", "cut after 10 s (code 1006)"] }), url);
  expect(cut.title).toBe("It works, by long-poll");
  expect(cut.advice[0]).toMatch(/are cut after 10 s .*more than 60 seconds/);
  expect(judge(all("ok", { "ws-echo": ["bad", "silent"] }), url).advice[0]).toMatch(/open, but messages/);
  expect(judge(all("ok", { "lp-wait": ["bad", "cut"] }), url).advice[0]).toMatch(/may wait up to 10 seconds/);
  expect(judge(all("ok", { "lp-large": ["bad", "cut"] }), url).advice[0]).toMatch(/POST requests of 200 kB/);
});

test("a clock that is off is a warning; buffering is none", () => {
  expect(judge(all("ok", { clock: ["warn"] }), url).level).toBe("warn");
  expect(judge(all("ok", { buffer: ["warn"] }), url).level).toBe("ok");
});

test("the lanes", () => {
  expect(lane(all("waiting"), "ws-")).toBe("waiting");
  expect(lane(all("ok", { "ws-live": ["running"] }), "ws-")).toBe("running");
  expect(lane(all("ok", { "ws-live": ["bad"] }), "ws-")).toBe("bad");
  expect(lane(all("bad", { "lp-open": ["ok"], "lp-echo": ["ok"], "lp-large": ["ok"], "lp-wait": ["ok"] }), "lp-")).toBe("ok");
});
