// SPDX-License-Identifier: MIT
import { LongPoll, Socket } from "phoenix";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RoomdSocket, connect } from "../src/index.js";
import { FakeServer, FakeWebSocket, binary } from "./fake.js";

let server: FakeServer;
let sockets: RoomdSocket[];
const open = (url = "ws://server/socket", options = {}) => {
  const socket = connect(url, options);
  sockets.push(socket);
  return socket;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeWebSocket);
  FakeWebSocket.server = server = new FakeServer();
  sockets = [];
});

afterEach(() => {
  for (const socket of sockets) socket.disconnect();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const turn = () => vi.advanceTimersByTimeAsync(0);

test("is a phoenix Socket, and asks for base64 over long-poll", async () => {
  const socket = open("ws://server/socket", { params: { user_id: "ada" } });
  await turn();
  expect(socket).toBeInstanceOf(Socket);
  expect(server.urls[0]).toBe("ws://server/socket/websocket?user_id=ada&lp_binary=base64&vsn=2.0.0");
  expect(socket.health).toMatchObject({ state: "open", transport: "websocket", reconnects: 0 });
});

test("takes http addresses and drops what is no path", async () => {
  open("https://server/app/socket/");
  await turn();
  expect(server.urls[0]).toMatch(/^wss:\/\/server\/app\/socket\/websocket\?/);
});

test("a slash at the end of a ws address is no part of it", async () => {
  open("ws://server/socket/");
  await turn();
  expect(server.urls[0]).toMatch(/^ws:\/\/server\/socket\/websocket\?/);
});

test("a relative address does no harm where there is no page, as on a server", () => {
  expect(() => new RoomdSocket("socket")).not.toThrow();
});

test("asks for a token at every connect", async () => {
  let n = 0;
  const socket = open(undefined, { authToken: async () => `token${++n}` });
  await turn();
  socket.reconnect();
  await turn();
  expect(server.protocols).toEqual([1, 2].map((i) => ["phoenix", `base64url.bearer.phx.${btoa(`token${i}`).replace(/=/g, "")}`]));
});

test("tries again when the token cannot be had", async () => {
  let n = 0;
  open(undefined, { authToken: () => (n++ ? Promise.resolve("t") : Promise.reject(new Error("no"))) });
  await turn();
  expect(server.urls).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(2000);
  expect(server.urls).toHaveLength(1);
});

test("reads a binary frame that came as base64", () => {
  const socket = new RoomdSocket("ws://server/socket", { transport: "longpoll" });
  const frame = binary(2, "", "", new Uint8Array());
  expect(frame.byteLength).toBeGreaterThan(0);
  const bytes = new Uint8Array(binary(0, "7", "room:1", new Uint8Array([1, 2, 255])));
  let message: { topic?: string; payload?: ArrayBuffer } = {};
  socket.decode(btoa(String.fromCharCode(...bytes)), (decoded) => {
    message = decoded as typeof message;
  });
  expect(message.topic).toBe("room:1");
  expect([...new Uint8Array(message.payload!)]).toEqual([1, 2, 255]);
  socket.decode('["1",null,"t","e",{"a":1}]', (decoded) => {
    expect(decoded).toMatchObject({ topic: "t", payload: { a: 1 } });
  });
  expect(socket.health.receivedMessages).toBe(2);
});

test("stays with WebSocket over a restart of a server where it worked", async () => {
  const socket = open(undefined, { reconnectAfterMs: () => 100 });
  await vi.advanceTimersByTimeAsync(100);
  server.reachable = false;
  server.cut();
  await vi.advanceTimersByTimeAsync(250);
  expect(socket.health).toMatchObject({ state: "connecting", transport: "websocket" });
  server.reachable = true;
  await vi.advanceTimersByTimeAsync(500);
  expect(socket.health).toMatchObject({ state: "open", transport: "websocket", reconnects: 1 });
});

test("falls back to long-poll where WebSocket never worked", async () => {
  server.reachable = false;
  const requests: string[] = [];
  vi.stubGlobal("XMLHttpRequest", class {
    open(method: string, url: string) {
      requests.push(`${method} ${url}`);
    }
    setRequestHeader() {}
    send() {}
    abort() {}
  });
  const socket = open(undefined, { sessionStorage: { getItem: () => null, setItem() {} } });
  await vi.advanceTimersByTimeAsync(100);
  expect(requests[0]).toMatch(/^GET http:\/\/server\/socket\/longpoll\?lp_binary=base64&vsn=2.0.0/);
  expect(socket.transport).toBe(LongPoll);
});

test("tries WebSocket again where long-poll failed too", async () => {
  server.reachable = false;
  vi.stubGlobal("XMLHttpRequest", class {
    onerror?: () => void;
    open() {}
    setRequestHeader() {}
    send() {
      queueMicrotask(() => this.onerror?.());
    }
    abort() {}
  });
  const sessionStorage = { getItem: () => null, setItem() {} };
  const socket = open(undefined, { sessionStorage, reconnectAfterMs: () => 100 });
  await vi.advanceTimersByTimeAsync(150);
  server.reachable = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(socket.health).toMatchObject({ state: "open", transport: "websocket" });
});

test("leaves long-poll again where a WebSocket has worked", async () => {
  const socket = open(undefined, { upgradeAfterMs: 20000, reconnectAfterMs: () => 100 });
  await vi.advanceTimersByTimeAsync(100);
  const replies: ((body: object) => void)[] = [];
  vi.stubGlobal("XMLHttpRequest", class {
    readyState = 4;
    responseText = "";
    onreadystatechange?: () => void;
    open() {}
    setRequestHeader() {}
    abort() {}
    send(body: unknown) {
      replies.push((reply) => {
        this.responseText = JSON.stringify(reply);
        this.onreadystatechange?.();
      });
      if (body) replies.at(-1)!({ status: 200 });
      else if (replies.length === 1) replies[0]!({ status: 410, token: "t", messages: [] });
    }
  });
  server.reachable = false;
  server.cut();
  await vi.advanceTimersByTimeAsync(2000);
  expect(socket.health).toMatchObject({ state: "open", transport: "longpoll" });
  server.reachable = true;
  await vi.advanceTimersByTimeAsync(26000);
  expect(socket.health).toMatchObject({ state: "open", transport: "websocket" });
  expect(server.sockets.size).toBe(1);
});

test("changes the transport of a living socket", async () => {
  const socket = open();
  await turn();
  const seen: string[] = [];
  socket.onHealth((health) => {
    const line = `${health.state} ${health.transport}`;
    if (line !== seen.at(-1)) seen.push(line);
  });
  socket.setTransport("longpoll");
  expect(socket.transport).toBe(LongPoll);
  socket.setTransport("websocket");
  await turn();
  expect(seen).toEqual(["open websocket", "connecting longpoll", "connecting websocket", "open websocket"]);
  expect(server.sockets.size).toBe(1);
});

test("measures the round trip only while somebody listens", async () => {
  const socket = open();
  await vi.advanceTimersByTimeAsync(20000);
  const before = server.events("heartbeat").length;
  const rtts: unknown[] = [];
  const stop = socket.onHealth((health) => rtts.push(health.rtt));
  await vi.advanceTimersByTimeAsync(11000);
  expect(server.events("heartbeat").length - before).toBeGreaterThanOrEqual(2);
  expect(rtts.at(-1)).toBeTypeOf("number");
  stop();
  const after = server.events("heartbeat").length;
  await vi.advanceTimersByTimeAsync(14000);
  expect(server.events("heartbeat").length - after).toBeLessThanOrEqual(1);
});

test("makes a new connection after a sleep when the old one is dead", async () => {
  const socket = open();
  await turn();
  server.answering = false;
  vi.setSystemTime(Date.now() + 60000);
  await vi.advanceTimersByTimeAsync(5000);
  server.answering = true;
  await vi.advanceTimersByTimeAsync(4500);
  expect(socket.health).toMatchObject({ state: "open", reconnects: 1 });
});

test("keeps a connection that proves itself after a sleep", async () => {
  const socket = open();
  await turn();
  vi.setSystemTime(Date.now() + 60000);
  await vi.advanceTimersByTimeAsync(15000);
  expect(socket.health.reconnects).toBe(0);
});

test("stays closed once disconnected", async () => {
  const socket = open();
  await turn();
  socket.disconnect();
  await vi.advanceTimersByTimeAsync(30000);
  expect(socket.health.state).toBe("closed");
  expect(server.urls).toHaveLength(1);
});

test("without a WebSocket, as in node 20, reconnects stay on long-poll and throw nothing", async () => {
  vi.stubGlobal("WebSocket", undefined);
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  const socket = open("http://server/socket");
  for (let i = 0; i < 5; i++) await vi.advanceTimersByTimeAsync(5000);
  expect(socket.transport).toBe(LongPoll);
  socket.setTransport("auto");
  expect(socket.transport).toBe(LongPoll);
  socket.reconnect();
  await vi.advanceTimersByTimeAsync(5000);
  expect(socket.transport).toBe(LongPoll);
});
