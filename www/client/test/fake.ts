// SPDX-License-Identifier: MIT
// A Phoenix server in memory, just enough of CONTRACTS for the unit tests:
// V2 text and binary frames, joins, heartbeats, the Yjs sync of one document a
// topic. `FakeWebSocket` takes the place of the browser's. What crosses it is
// delivered in later turns, as on a network; nothing waits on a clock.
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { readSyncMessage, writeSyncStep1 } from "y-protocols/sync";
import * as Y from "yjs";

type Frame = [string | null, string | null, string, string, unknown];

export class FakeServer {
  sockets = new Set<FakeWebSocket>();
  docs = new Map<string, Y.Doc>();
  /** The last awareness message of each topic, given to who joins. */
  awareness = new Map<string, Uint8Array>();
  log: { topic: string; event: string; payload: unknown }[] = [];
  urls: string[] = [];
  protocols: unknown[] = [];
  reachable = true;
  answering = true;
  refuseJoin: unknown = null;
  refuseUpdates: unknown = null;
  joinReply: Record<string, unknown> = {};

  doc(topic: string): Y.Doc {
    let doc = this.docs.get(topic);
    if (!doc) this.docs.set(topic, doc = new Y.Doc());
    return doc;
  }

  events(name: string): unknown[] {
    return this.log.filter((entry) => entry.event === name).map((entry) => entry.payload);
  }

  cut(code = 1012): void {
    for (const socket of [...this.sockets]) socket.serverClose(code);
  }

  receive(from: FakeWebSocket, data: string | ArrayBuffer): void {
    if (!this.answering) return;
    const [joinRef, ref, topic, event, payload] = typeof data === "string" ? JSON.parse(data) as Frame : readBinary(data);
    this.log.push({ topic, event, payload });
    const reply = (status: string, response: unknown = {}) =>
      from.deliver(JSON.stringify([joinRef, ref, topic, "phx_reply", { status, response }]));
    if (event === "heartbeat") return reply("ok");
    if (event === "phx_join") return this.#join(from, joinRef!, topic, reply);
    if (event === "phx_leave") {
      from.topics.delete(topic);
      reply("ok");
      return from.deliver(JSON.stringify([joinRef, joinRef, topic, "phx_close", {}]));
    }
    if (event === "update") return this.#update(from, topic, payload as { data: number[] });
    if (payload instanceof ArrayBuffer) this.#yjs(from, joinRef!, topic, new Uint8Array(payload), reply);
  }

  push(to: FakeWebSocket, topic: string, event: string, payload: unknown): void {
    to.deliver(JSON.stringify([to.topics.get(topic), null, topic, event, payload]));
  }

  #join(from: FakeWebSocket, joinRef: string, topic: string, reply: (s: string, r?: unknown) => void): void {
    if (this.refuseJoin) return reply("error", this.refuseJoin);
    from.topics.set(topic, joinRef);
    const doc = this.doc(topic);
    const state = doc.store.clients.size ? Array.from(Y.encodeStateAsUpdate(doc)) : [];
    reply("ok", { state, ...this.joinReply });
    const metas = { me: { metas: [{ phx_ref: "1", online_at: "1" }] } };
    this.push(from, topic, "presence_state", metas);
  }

  #update(from: FakeWebSocket, topic: string, payload: { data: number[] }): void {
    Y.applyUpdate(this.doc(topic), new Uint8Array(payload.data));
    this.#others(from, topic, "update", payload);
  }

  #others(from: FakeWebSocket, topic: string, event: string, payload: unknown): void {
    for (const other of this.sockets) {
      if (other !== from && other.topics.has(topic)) this.push(other, topic, event, payload);
    }
  }

  #yjs(from: FakeWebSocket, joinRef: string, topic: string, bytes: Uint8Array, reply: (s: string, r?: unknown) => void): void {
    const doc = this.doc(topic);
    const decoder = decoding.createDecoder(bytes);
    const type = decoding.readVarUint(decoder);
    if (type === 1) this.awareness.set(topic, bytes);
    if (type !== 0) return this.#others(from, topic, "yjs", Array.from(bytes));
    if (bytes[1] === 2 && this.refuseUpdates) return reply("error", this.refuseUpdates);
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, 0);
    const before = Y.encodeStateVector(doc);
    const step = readSyncMessage(decoder, encoder, doc, from);
    if (step === 0) {
      from.deliver(binary(0, joinRef, topic, encoding.toUint8Array(encoder)));
      const own = encoding.createEncoder();
      encoding.writeVarUint(own, 0);
      writeSyncStep1(own, doc);
      from.deliver(binary(0, joinRef, topic, encoding.toUint8Array(own)));
      const known = this.awareness.get(topic);
      return known && from.deliver(binary(0, joinRef, topic, known));
    }
    const news = encoding.createEncoder();
    encoding.writeVarUint(news, 0);
    encoding.writeVarUint(news, 2);
    encoding.writeVarUint8Array(news, Y.encodeStateAsUpdate(doc, before));
    this.#others(from, topic, "yjs", Array.from(encoding.toUint8Array(news)));
  }
}

/** A push from the server in Phoenix's binary form. */
export const binary = (kind: number, joinRef: string, topic: string, payload: Uint8Array, event = "yjs"): ArrayBuffer => {
  const text = new TextEncoder();
  const fields = [joinRef, topic, event].map((field) => text.encode(field));
  const bytes = [kind, ...fields.map((field) => field.length), ...fields.flatMap((field) => [...field]), ...payload];
  return new Uint8Array(bytes).buffer;
};

const readBinary = (data: ArrayBuffer): Frame => {
  const bytes = new Uint8Array(data);
  let at = 5;
  const fields = [1, 2, 3, 4].map((i) => {
    const end = at + bytes[i]!;
    const field = new TextDecoder().decode(bytes.slice(at, end));
    at = end;
    return field;
  });
  return [fields[0]!, fields[1]!, fields[2]!, fields[3]!, data.slice(at)];
};

export class FakeWebSocket {
  static server: FakeServer;
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "arraybuffer";
  topics = new Map<string, string>();
  onopen?: (event: unknown) => void;
  onclose?: (event: unknown) => void;
  onerror?: (event: unknown) => void;
  onmessage?: (event: { data: unknown }) => void;

  constructor(url: string, protocols?: unknown) {
    const { server } = FakeWebSocket;
    server.urls.push(url);
    server.protocols.push(protocols);
    queueMicrotask(() => {
      if (this.readyState !== 0) return;
      if (!server.reachable) {
        this.readyState = 3;
        this.onerror?.({});
        return this.onclose?.({ code: 1006 });
      }
      this.readyState = 1;
      server.sockets.add(this);
      this.onopen?.({});
    });
  }

  send(data: string | ArrayBuffer): void {
    queueMicrotask(() => this.readyState === 1 && FakeWebSocket.server.receive(this, data));
  }

  deliver(data: unknown): void {
    queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data }));
  }

  close(code = 1000): void {
    this.serverClose(code);
  }

  serverClose(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    FakeWebSocket.server.sockets.delete(this);
    queueMicrotask(() => this.onclose?.({ code }));
  }
}
