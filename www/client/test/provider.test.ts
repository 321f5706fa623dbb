// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { RoomdProvider, connect, type Persistence, type ProviderOptions, type RoomdSocket } from "../src/index.js";
import { FakeServer, FakeWebSocket } from "./fake.js";

let server: FakeServer;
let made: { provider: RoomdProvider; socket: RoomdSocket }[];

const join = (options: ProviderOptions = {}) => {
  const doc = new Y.Doc();
  const topic = "room:1";
  const socket = connect("ws://server/socket", { transport: "websocket", reconnectAfterMs: () => 50, rejoinAfterMs: () => 50 });
  const provider = new RoomdProvider(socket, topic, doc, { disableBc: true, ...options });
  made.push({ provider, socket });
  return { socket, provider, doc, text: doc.getText("t") };
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeWebSocket);
  FakeWebSocket.server = server = new FakeServer();
  made = [];
});

afterEach(() => {
  for (const { provider, socket } of made) {
    provider.destroy();
    socket.disconnect();
  }
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const settle = (ms = 20) => vi.advanceTimersByTimeAsync(ms);

test("has the events and fields of y-phoenix-channel", async () => {
  server.doc("room:1").getText("t").insert(0, "there");
  const { provider, doc, text } = join();
  const seen: unknown[] = [];
  provider.on("status", (event) => seen.push(event.status));
  provider.on("synced", (state) => seen.push(["synced", state]));
  provider.on("sync", (state) => seen.push(["sync", state]));
  await settle();
  expect(text.toString()).toBe("there");
  expect(provider).toMatchObject({ synced: true, roomname: "room:1", doc, shouldConnect: true, status: "connected" });
  expect(provider.channel?.state).toBe("joined");
  expect(seen).toEqual(["connected", ["synced", true], ["sync", true]]);
  await expect(provider.whenSynced).resolves.toBeUndefined();
});

test("two documents become one", async () => {
  const a = join();
  const b = join();
  await settle();
  a.text.insert(0, "one ");
  b.text.insert(0, "two ");
  await settle();
  expect(a.text.toString()).toBe(b.text.toString());
  expect(server.doc("room:1").getText("t").toString()).toBe(a.text.toString());
});

test("counts what the server has not confirmed", async () => {
  const { provider, text } = join();
  await settle();
  const seen: number[] = [];
  provider.on("pending", (n) => seen.push(n));
  text.insert(0, "a");
  text.insert(0, "b");
  expect(seen).toEqual([1, 2]);
  await settle(1000);
  expect(seen).toEqual([1, 2, 0]);
});

test("an edit made while another is being confirmed stays pending", async () => {
  const { provider, text } = join();
  await settle();
  text.insert(0, "a");
  await settle(295);
  text.insert(0, "b");
  server.answering = false;
  await settle(400);
  expect(provider.pending).toBe(2);
  server.answering = true;
  server.cut();
  await settle(2000);
  expect(provider.pending).toBe(0);
  expect(server.doc("room:1").getText("t").toString()).toBe("ba");
});

test("edits made offline arrive after the reconnect, once", async () => {
  const { provider, text } = join();
  await settle();
  server.reachable = false;
  server.cut();
  await settle();
  expect(provider.synced).toBe(false);
  text.insert(0, "offline");
  await settle(500);
  expect(provider.pending).toBe(1);
  server.reachable = true;
  await settle(2000);
  expect(provider.pending).toBe(0);
  expect(server.doc("room:1").getText("t").toString()).toBe("offline");
});

test("others are seen again at once after a reconnect", async () => {
  const a = join();
  const b = join();
  await settle();
  a.provider.awareness.setLocalStateField("name", "a");
  await settle();
  expect(b.provider.awareness.getStates().get(a.doc.clientID)).toEqual({ name: "a" });
  b.provider.awareness.setLocalState(null);
  await settle();
  server.awareness.set("room:1", new Uint8Array(server.events("yjs").filter((data) =>
    new TextDecoder().decode(data as ArrayBuffer).includes("name")).at(-1) as ArrayBuffer));
  [...server.sockets][1]!.serverClose(1012);
  await settle(5);
  expect(b.provider.awareness.getStates().has(a.doc.clientID)).toBe(false);
  await settle(300);
  expect(b.provider.awareness.getStates().get(a.doc.clientID)).toEqual({ name: "a" });
});

test("does not pass on that others timed out", async () => {
  const a = join();
  const b = join();
  await settle();
  a.provider.awareness.setLocalStateField("name", "a");
  await settle();
  const before = server.events("yjs").length;
  b.provider.awareness.emit("update", [{ added: [], updated: [], removed: [a.doc.clientID] }, "timeout"]);
  await settle();
  expect(server.events("yjs").length).toBe(before);
});

test("tells of a refused join and goes on trying", async () => {
  server.refuseJoin = { reason: "unauthorized" };
  const { provider } = join();
  const errors: unknown[] = [];
  provider.on("error", (error) => errors.push(error));
  await settle(10);
  expect(errors[0]).toEqual({ code: "join", reason: { reason: "unauthorized" } });
  expect(provider.status).toBe("connecting");
  server.refuseJoin = null;
  await settle(200);
  expect(provider).toMatchObject({ status: "connected", error: null, synced: true });
});

test("tells of a rejected edit, and does not call it saved", async () => {
  const { provider, text } = join();
  await settle();
  server.refuseUpdates = { reason: "update too large" };
  text.insert(0, "x");
  await settle(2000);
  expect(provider.error).toEqual({ code: "rejected", reason: { reason: "update too large" } });
  expect(provider.pending).toBe(1);
  server.refuseUpdates = null;
  provider.resync();
  await settle(2000);
  expect(provider.pending).toBe(0);
  expect(server.doc("room:1").getText("t").toString()).toBe("x");
});

test("a read-only room takes no edits from here, and shows those of others", async () => {
  server.joinReply = { read_only: true };
  const reader = join();
  const seen: boolean[] = [];
  reader.provider.on("read-only", (state) => seen.push(state));
  await settle();
  server.joinReply = {};
  const writer = join();
  await settle();
  reader.text.insert(0, "mine");
  writer.text.insert(0, "theirs");
  await settle(500);
  expect(seen).toEqual([true]);
  expect(reader.provider.pending).toBe(0);
  expect(reader.text.toString()).toContain("theirs");
  expect(server.doc("room:1").getText("t").toString()).toBe("theirs");
  for (const socket of server.sockets) server.push(socket, "room:1", "read_only", { read_only: false });
  await settle();
  expect(seen).toEqual([true, false]);
  expect(server.doc("room:1").getText("t").toString()).toBe(reader.text.toString());
  expect(writer.text.toString()).toBe(reader.text.toString());
});

test("a message that cannot be read is an error, not a crash", async () => {
  const { provider } = join();
  await settle();
  for (const socket of server.sockets) server.push(socket, "room:1", "yjs", [0, 2, 200]);
  await settle();
  expect(provider.error?.code).toBe("message");
  expect(provider.status).toBe("connected");
});

test("yjs_resync asks again", async () => {
  join();
  await settle();
  const before = server.events("yjs_sync").length;
  for (const socket of server.sockets) server.push(socket, "room:1", "yjs_resync", {});
  await settle();
  expect(server.events("yjs_sync").length).toBe(before + 1);
});

test("speaks the JSON protocol of older servers", async () => {
  server.doc("room:1").getText("t").insert(0, "old ");
  const a = join({ protocol: "update" });
  const b = join();
  await settle();
  expect(a.text.toString()).toBe("old ");
  a.text.insert(4, "a");
  b.text.insert(4, "b");
  await settle();
  expect(server.events("update").length).toBe(1);
  expect(a.text.toString()).toBe(server.doc("room:1").getText("t").toString());
  server.reachable = false;
  server.cut();
  await settle();
  a.text.insert(0, "later ");
  server.reachable = true;
  await settle(1000);
  expect(server.doc("room:1").getText("t").toString()).toMatch(/^later /);
  expect(a.provider.pending).toBe(0);
});

test("what the device kept is loaded, sent and remembered as unsaved", async () => {
  const kept = new Y.Doc();
  kept.getText("t").insert(0, "kept");
  const store = new Map<string, unknown>([["roomd-unsaved", 1]]);
  const persistence = (_name: string, doc: Y.Doc): Persistence => {
    const self: Persistence = {
      whenSynced: Promise.resolve().then(() => Y.applyUpdate(doc, Y.encodeStateAsUpdate(kept), self)),
      destroy() {},
      clearData: async () => {},
      get: async (key) => store.get(key),
      set: async (key, value) => store.set(key, value),
    };
    return self;
  };
  server.reachable = false;
  const { provider, text } = join({ persistence });
  await provider.whenLoaded;
  expect(text.toString()).toBe("kept");
  expect(provider.pending).toBe(1);
  server.reachable = true;
  await settle(3000);
  expect(server.doc("room:1").getText("t").toString()).toBe("kept");
  expect(provider.pending).toBe(0);
  expect(store.get("roomd-unsaved")).toBe(0);
});

test("tabs of one browser see each other without a server", async () => {
  server.reachable = false;
  const a = join({ disableBc: false });
  const b = join({ disableBc: false });
  a.text.insert(0, "tab");
  vi.useRealTimers();
  await vi.waitFor(() => expect(b.text.toString()).toBe("tab"));
});

test("leaves without a trace", async () => {
  const { provider, socket, doc } = join();
  await settle();
  provider.destroy();
  await settle();
  expect(server.events("phx_leave")).toHaveLength(1);
  expect((socket as unknown as { channels: unknown[] }).channels).toHaveLength(0);
  doc.getText("t").insert(0, "x");
  await settle();
  expect(server.doc("room:1").getText("t").toString()).toBe("");
});

test("presence is what the server says", async () => {
  const { provider } = join();
  await settle();
  expect(provider.presence).toEqual([{ id: "me", metas: [{ phx_ref: "1", online_at: "1" }] }]);
});

test("presence has nobody of an earlier join to the room", async () => {
  const { provider } = join();
  await settle();
  provider.disconnect();
  provider.connect();
  const late = { joins: { me: { metas: [{ phx_ref: "0" }] } }, leaves: {} };
  for (const socket of server.sockets) socket.deliver(JSON.stringify([null, null, "room:1", "presence_diff", late]));
  await settle();
  expect(provider.presence).toEqual([{ id: "me", metas: [{ phx_ref: "1", online_at: "1" }] }]);
});
