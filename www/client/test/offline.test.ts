// SPDX-License-Identifier: MIT
import { IDBFactory, IDBKeyRange, IDBObjectStore as FakeStore } from "fake-indexeddb";
import { IndexeddbPersistence } from "y-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { RoomdProvider, RoomdSocket, connect, type PersistenceFactory } from "../src/index.js";
import { DeviceStore, offline } from "../src/offline.js";
import { FakeServer, FakeWebSocket } from "./fake.js";

let stores: DeviceStore[] = [];
const make = (name = "room"): DeviceStore => {
  const store = new DeviceStore(name, new Y.Doc());
  stores.push(store);
  return store;
};
const text = ({ doc }: { doc: Y.Doc }) => doc.getText("t");

const rawCount = (name: string, store: string): Promise<number> => new Promise((resolve, reject) => {
  const request = indexedDB.open(name);
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const count = request.result.transaction(store).objectStore(store).count();
    count.onsuccess = () => {
      request.result.close();
      resolve(count.result);
    };
  };
});

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  vi.stubGlobal("IDBKeyRange", IDBKeyRange);
});

afterEach(async () => {
  for (const store of stores) await store.destroy();
  stores = [];
  vi.unstubAllGlobals();
});

test("what is called stored is read by the next page, without the first having ended", async () => {
  const a = make();
  text(a).insert(0, "kept");
  await a.whenStored();
  text(a).insert(4, " and more");
  await a.whenStored();
  const b = make();
  await b.whenSynced;
  expect(text(b).toString()).toBe("kept and more");
});

test("edits made while the document is being read are stored too", async () => {
  const a = make();
  text(a).insert(0, "first ");
  await a.whenStored();
  await a.destroy();
  const b = make();
  text(b).insert(0, "early ");
  await b.whenStored();
  const c = make();
  await c.whenSynced;
  expect(text(c).toString()).toMatch(/^(first early |early first )$/);
});

test("one task is one write; many writes become one", async () => {
  const a = make();
  await a.whenSynced;
  for (let i = 0; i < 1200; i++) {
    text(a).insert(i, "x");
    if (i % 10 === 9) await a.whenStored();
  }
  await a.whenStored();
  expect(await rawCount("room", "updates")).toBeLessThan(500);
  const b = make();
  await b.whenSynced;
  expect(text(b).length).toBe(1200);
});

test("two tabs share a store, also when one puts it together", async () => {
  const a = make();
  const b = make();
  await Promise.all([a.whenSynced, b.whenSynced]);
  text(a).insert(0, "from a ");
  await a.whenStored();
  for (let i = 0; i < 600; i++) text(b).insert(0, "b");
  await b.whenStored();
  const c = make();
  await c.whenSynced;
  expect(text(c).toString()).toMatch(/from a /);
  expect(text(c).length).toBe(607);
});

test("a store that y-indexeddb left is read: its layout is the same", async () => {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, "old");
  await new Promise<void>((resolve) => {
    const request = indexedDB.open("room");
    request.onupgradeneeded = () => {
      request.result.createObjectStore("updates", { autoIncrement: true });
      request.result.createObjectStore("custom");
    };
    request.onsuccess = () => {
      const transaction = request.result.transaction("updates", "readwrite");
      transaction.objectStore("updates").add(Y.encodeStateAsUpdate(doc));
      transaction.oncomplete = () => {
        request.result.close();
        resolve();
      };
    };
  });
  const a = make();
  await a.whenSynced;
  expect(text(a).toString()).toBe("old");
});

test("y-indexeddb in its place: edits without a network survive a reload, are known as unsaved, and are read by our own store", async () => {
  vi.stubGlobal("WebSocket", FakeWebSocket);
  const server = FakeWebSocket.server = new FakeServer();
  server.reachable = false;
  const page = async (persistence: PersistenceFactory) => {
    const socket = connect("ws://server/socket", { transport: "websocket", reconnectAfterMs: () => 20 });
    const provider = new RoomdProvider(socket, "room:plan", new Y.Doc(), { disableBc: true, persistence });
    await provider.whenLoaded;
    return { socket, provider, leave: async () => {
      provider.destroy();
      socket.disconnect();
      await provider.persistence!.destroy();
    } };
  };
  const theirs: PersistenceFactory = (name, doc) => new IndexeddbPersistence(name, doc);
  const a = await page(theirs);
  text(a.provider).insert(0, "written offline");
  expect(a.provider).toMatchObject({ pending: 1, stored: false, synced: false });
  await a.leave();
  const b = await page(theirs);
  expect(text(b.provider).toString()).toBe("written offline");
  expect(b.provider.pending).toBe(1);
  await b.leave();
  const c = await page(offline);
  expect(text(c.provider).toString()).toBe("written offline");
  expect(c.provider.pending).toBe(1);
  server.reachable = true;
  await vi.waitFor(() => expect(c.provider.pending).toBe(0), { timeout: 20000 });
  expect(server.doc("room:plan").getText("t").toString()).toBe("written offline");
  await c.leave();
});

test("a write that the device refuses is told, and made up for by the next", async () => {
  const a = make();
  await a.whenSynced;
  const { add } = FakeStore.prototype;
  const refuse = vi.spyOn(FakeStore.prototype, "add").mockImplementationOnce(function (this: InstanceType<typeof FakeStore>, ...args: Parameters<typeof add>) {
    const request = add.apply(this, args);
    this.transaction.abort();
    return request;
  });
  text(a).insert(0, "one ");
  await expect(a.whenStored()).rejects.toBeTruthy();
  refuse.mockRestore();
  text(a).insert(0, "two ");
  await a.whenStored();
  const b = make();
  await b.whenSynced;
  expect(text(b).toString()).toBe("two one ");
});

test("clearData forgets, another tab notwithstanding", async () => {
  const a = make();
  const b = make();
  text(a).insert(0, "secret");
  await Promise.all([a.whenStored(), b.whenSynced]);
  await a.clearData();
  const c = make();
  await c.whenSynced;
  expect(text(c).toString()).toBe("");
});

test("the provider calls a change stored only when it is", async () => {
  vi.stubGlobal("WebSocket", FakeWebSocket);
  FakeWebSocket.server = new FakeServer();
  const doc = new Y.Doc();
  const socket = connect("ws://server/socket", { transport: "websocket" });
  const provider = new RoomdProvider(socket, "room:1", doc, { disableBc: true, persistence: offline, connect: false });
  await vi.waitFor(() => expect(provider.stored).toBe(true));
  doc.getText("t").insert(0, "edit");
  expect(provider.stored).toBe(false);
  await new Promise<void>((resolve) => provider.on("stored", (state) => state && resolve()));
  const again = make(provider.bcChannel);
  await again.whenSynced;
  expect(text(again).toString()).toBe("edit");
  provider.destroy();
  socket.disconnect();
});

test("where nothing can be stored, as on a server, it is told and not thrown", async () => {
  vi.stubGlobal("indexedDB", undefined);
  const doc = new Y.Doc();
  const socket = new RoomdSocket("ws://server/socket");
  const provider = new RoomdProvider(socket, "room:1", doc, { connect: false, persistence: offline });
  await provider.whenLoaded;
  expect(provider).toMatchObject({ stored: false, error: { code: "offline" } });
  provider.destroy();
  doc.destroy();
});
