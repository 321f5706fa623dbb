// SPDX-License-Identifier: MIT
// Keeps one Y.Doc in step with one room. It speaks the protocol of
// y-phoenix-channel (and has its events and fields, so it can take its place),
// or with `protocol: "update"` the plain JSON one of older servers. Beyond
// that it knows what the server has not confirmed yet, can keep edits on the
// device, and gets back in step after sleep, reconnects and restarts.
//
// It never throws at the application for what the network does: it says so by
// the events `status` and `error`, and goes on.
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as bc from "lib0/broadcastchannel";
import { ObservableV2 } from "lib0/observable";
import { Presence, type Channel, type Socket } from "phoenix";
import {
  Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates,
} from "y-protocols/awareness";
import { messageYjsSyncStep1, messageYjsSyncStep2, readSyncMessage, writeSyncStep1, writeSyncStep2, writeUpdate } from "y-protocols/sync";
import * as Y from "yjs";
import { RoomdSocket, connect, type TransportName } from "./socket.js";

export type ProviderStatus = "connecting" | "connected" | "disconnected";
export interface StatusEvent {
  status: ProviderStatus;
  /** Null for a plain phoenix.js socket that does not tell. */
  transport: TransportName | null;
}
export interface ProviderError {
  /** `join`: refused to join. `rejected`: refused an edit. `message`: could not be read. `channel`: the room failed. `offline`: the device cannot store. */
  code: "join" | "rejected" | "message" | "channel" | "offline";
  reason: unknown;
}
export interface PresenceEntry {
  id: string;
  metas: { phx_ref: string; online_at?: string; [key: string]: unknown }[];
}
/** What `roomd-client/offline` makes; y-indexeddb's class fits, but cannot say when a change is stored. */
export interface Persistence {
  whenSynced: Promise<unknown>;
  /** Settles when every change so far survives a reload. */
  whenStored?(): Promise<void>;
  destroy(): unknown;
  clearData(): Promise<void>;
  get(key: string): Promise<unknown>;
  set(key: string, value: number): Promise<unknown>;
}
export type PersistenceFactory = (name: string, doc: Y.Doc) => Persistence;

export interface ProviderOptions {
  /** Join at once; default true. */
  connect?: boolean;
  awareness?: Awareness;
  /** Sent with every join. */
  params?: Record<string, unknown> | (() => Record<string, unknown>);
  /** Ask the server for what is missing every so many ms; default -1, never: it is not needed. */
  resyncInterval?: number;
  /** Do not talk to other tabs directly; default false. */
  disableBc?: boolean;
  /** `offline` from `roomd-client/offline` keeps the document on this device. */
  persistence?: PersistenceFactory;
  /** `update`: the JSON protocol of servers that know no other; default `yjs`. */
  protocol?: "yjs" | "update";
}

export interface ProviderEvents {
  status: (event: StatusEvent) => void;
  /** In step with the server. `sync` is the same event under its older name. */
  synced: (state: boolean) => void;
  sync: (state: boolean) => void;
  /** How many local changes the server has not confirmed. 0: all saved. */
  pending: (changes: number) => void;
  /** Every change so far is kept on this device, or not yet. */
  stored: (state: boolean) => void;
  "read-only": (state: boolean) => void;
  /** The document kept on this device has been read. */
  loaded: () => void;
  presence: (entries: PresenceEntry[]) => void;
  /** Something of others is about to be applied: time for an editor to read what was typed and not reported yet. */
  incoming: () => void;
  error: (error: ProviderError) => void;
  "connection-close": (event: CloseEvent | null, provider: RoomdProvider) => void;
  "connection-error": (event: unknown, provider: RoomdProvider) => void;
}

const SYNC = 0;
const AWARENESS = 1;
const QUERY_AWARENESS = 3;
/** Quiet time after an edit before the server is asked whether it has it. */
const CONFIRM_MS = 300;
/** Hidden for longer than this, a page asks again for what it may have missed. */
const HIDDEN_MS = 20000;
/** So long after the last word from another tab, the server is asked whether it knows. */
const TAB_MS = 2000;
const UNSAVED = "roomd-unsaved";

const message = (type: number, write: (encoder: encoding.Encoder) => void): Uint8Array => {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, type);
  write(encoder);
  return encoding.toUint8Array(encoder);
};
const hasDocument = typeof document !== "undefined";

export class RoomdProvider extends ObservableV2<ProviderEvents> {
  readonly socket: Socket;
  readonly roomname: string;
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly bcChannel: string;
  readonly protocol: "yjs" | "update";
  readonly persistence: Persistence | null = null;
  channel: Channel | undefined;
  shouldConnect = false;
  bcconnected = false;
  status: ProviderStatus = "disconnected";
  /** Local changes that the server has not confirmed. */
  pending = 0;
  readOnly = false;
  /** Every change so far is kept on this device: a reload brings it back. */
  stored = false;
  presence: PresenceEntry[] = [];
  /** The last error, until the next successful join. */
  error: ProviderError | null = null;
  /** Settles once the document kept on this device has been read (at once without one). */
  readonly whenLoaded: Promise<void>;

  #params: () => Record<string, unknown>;
  #disableBc: boolean;
  #synced = false;
  #changes = 0;
  /** The server has been sent what was pending when we joined. */
  #told = true;
  #storing = 0;
  #confirming = false;
  #confirmTimer: ReturnType<typeof setTimeout> | undefined;
  #tabTimer: ReturnType<typeof setTimeout> | undefined;
  #resyncTimer: ReturnType<typeof setInterval> | undefined;
  #socketRefs: string[];
  #hiddenAt = 0;

  constructor(socket: Socket | string, roomname: string, doc: Y.Doc, options: ProviderOptions = {}) {
    super();
    const { params, resyncInterval = -1, persistence } = options;
    this.socket = typeof socket === "string" ? connect(socket) : socket;
    this.roomname = roomname;
    this.doc = doc;
    this.awareness = options.awareness ?? new Awareness(doc);
    this.protocol = options.protocol ?? "yjs";
    this.bcChannel = `${(this.socket as unknown as { endPoint: string }).endPoint}/${roomname}`;
    this.#params = typeof params === "function" ? params : () => params ?? {};
    this.#disableBc = options.disableBc ?? false;
    this.#socketRefs = [
      this.socket.onClose((event) => this.emit("connection-close", [event, this])),
      this.socket.onError((event) => this.emit("connection-error", [event, this])),
    ];
    if (resyncInterval > 0) this.#resyncTimer = setInterval(() => this.resync(), resyncInterval);
    doc.on("update", this.#onUpdate);
    this.awareness.on("update", this.#onAwareness);
    if (hasDocument) {
      document.addEventListener("visibilitychange", this.#onVisibility);
      addEventListener("pagehide", this.#onPageHide);
    }
    if (persistence) this.persistence = persistence(this.bcChannel, doc);
    this.whenLoaded = this.#load();
    if (options.connect ?? true) this.connect();
  }

  /** In step with the server: everything it had at the last join is here. */
  get synced(): boolean {
    return this.#synced;
  }

  set synced(state: boolean) {
    if (this.#synced === state) return;
    this.#synced = state;
    this.emit("synced", [state]);
    this.emit("sync", [state]);
  }

  /** Settles when the document is next (or now) in step with the server. */
  get whenSynced(): Promise<void> {
    return this.#synced ? Promise.resolve() : new Promise((resolve) => {
      const done = (state: boolean) => {
        if (!state) return;
        this.off("synced", done);
        resolve();
      };
      this.on("synced", done);
    });
  }

  get transport(): TransportName | null {
    return this.socket instanceof RoomdSocket ? this.socket.health.transport : null;
  }

  connect(): void {
    this.shouldConnect = true;
    if (this.channel) return;
    this.#join();
    this.#connectBc();
  }

  disconnect(): void {
    this.shouldConnect = false;
    this.#disconnectBc();
    const channel = this.channel;
    this.channel = undefined;
    channel?.leave();
    this.#down("disconnected");
  }

  /** Leaves the room and lets go of the document; the socket stays for others. */
  override destroy(): void {
    clearInterval(this.#resyncTimer);
    clearTimeout(this.#confirmTimer);
    this.disconnect();
    clearTimeout(this.#tabTimer);
    this.socket.off(this.#socketRefs);
    this.doc.off("update", this.#onUpdate);
    this.awareness.off("update", this.#onAwareness);
    if (hasDocument) {
      document.removeEventListener("visibilitychange", this.#onVisibility);
      removeEventListener("pagehide", this.#onPageHide);
    }
    void this.persistence?.destroy();
    super.destroy();
  }

  /** Asks the server for whatever may be missing here, and tells it what may be missing there. */
  resync(): void {
    if (this.channel?.state !== "joined" || this.protocol === "update") return;
    this.#sync();
    this.#push("yjs", message(QUERY_AWARENESS, () => {}));
    this.#announce();
  }

  #sync(): void {
    if (this.protocol !== "update") this.#push("yjs_sync", message(SYNC, (e) => writeSyncStep1(e, this.doc)));
  }

  #join(): void {
    const channel = this.channel = this.socket.channel(this.roomname, (() => this.#params()) as object);
    const current = () => this.channel === channel;
    let presence: Presence | undefined;
    channel.onError((reason) => {
      if (!current()) return;
      if (reason && (reason as { source?: string }).source !== "transport") this.#fail("channel", reason);
      this.#down("connecting");
    });
    channel.onClose(() => {
      if (!current()) return;
      this.channel = undefined;
      this.#down("disconnected");
    });
    channel.on("yjs", (data) => this.#receive(data));
    channel.on("update", (payload) => this.#apply(payload?.data));
    channel.on("awareness", (payload) => {
      if (Array.isArray(payload?.data)) this.#attempt(() => applyAwarenessUpdate(this.awareness, new Uint8Array(payload.data), this));
    });
    channel.on("yjs_resync", () => this.resync());
    channel.on("read_only", (payload) => this.#setReadOnly(payload?.read_only !== false));
    this.#status("connecting");
    channel.join()
      .receive("ok", (reply) => {
        if (!current()) return;
        presence ??= this.#count(channel);
        this.#joined(reply ?? {});
      })
      .receive("error", (reason) => current() && this.#fail("join", reason));
  }

  // Only once joined: what comes before is about an earlier join to the same room.
  #count(channel: Channel): Presence {
    const presence = new Presence(channel);
    presence.onSync(() => {
      this.presence = presence.list((id: string, entry: { metas: PresenceEntry["metas"] }) => ({ id, metas: entry.metas }));
      this.emit("presence", [this.presence]);
    });
    return presence;
  }

  #joined(reply: { state?: ArrayLike<number>; read_only?: boolean }): void {
    this.error = null;
    this.#setReadOnly(reply.read_only === true);
    this.#told = !this.pending || this.protocol === "update";
    this.#status("connected");
    if (reply.state) this.#apply(reply.state);
    if (this.protocol === "yjs") {
      this.#push("yjs_sync", message(SYNC, (e) => writeSyncStep1(e, this.doc)));
    } else {
      this.#pushMissing(reply.state);
      this.synced = true;
    }
    this.#announce();
    this.#confirm();
  }

  // The server dropped our awareness when the last connection ended, and
  // remembers the clock it had then: only a newer one is believed.
  #announce(): void {
    const { awareness } = this;
    if (awareness.getLocalState() !== null) awareness.setLocalState(awareness.getLocalState());
  }

  /** The JSON protocol has no sync step: what the reply to the join lacks is sent as one update. */
  #pushMissing(state: ArrayLike<number> | undefined): void {
    const known = state?.length ? Y.encodeStateVectorFromUpdate(new Uint8Array(state)) : undefined;
    const missing = Y.encodeStateAsUpdate(this.doc, known);
    if (missing[0] !== 0 || this.pending) this.#pushUpdate(missing);
  }

  #receive(data: ArrayBufferLike | ArrayLike<number>): void {
    this.#attempt(() => {
      const reply = this.#read(new Uint8Array(data as ArrayBuffer), true);
      if (reply) this.#push("yjs", reply);
      this.#confirm();
    });
  }

  /** Reads one y-protocols message, from the server or from another tab; returns the answer, if any. */
  #read(bytes: Uint8Array, fromServer: boolean): Uint8Array | null {
    const decoder = decoding.createDecoder(bytes);
    const encoder = encoding.createEncoder();
    const type = decoding.readVarUint(decoder);
    this.emit("incoming", []);
    encoding.writeVarUint(encoder, type === QUERY_AWARENESS ? AWARENESS : type);
    if (type === SYNC) {
      const step = readSyncMessage(decoder, encoder, this.doc, this, (error) => {
        throw error;
      });
      if (fromServer && step === messageYjsSyncStep2) this.synced = true;
      if (fromServer && step === messageYjsSyncStep1) {
        if (this.readOnly) return null;
        this.#told = true;
      }
      // Another tab may have no way to the server.
      if (!fromServer && step !== messageYjsSyncStep1) {
        clearTimeout(this.#tabTimer);
        this.#tabTimer = setTimeout(() => this.#sync(), TAB_MS);
      }
    } else if (type === AWARENESS) {
      applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), this);
    } else if (type === QUERY_AWARENESS) {
      const known = [...this.awareness.getStates().keys()];
      encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(this.awareness, known));
    }
    return encoding.length(encoder) > 1 ? encoding.toUint8Array(encoder) : null;
  }

  #apply(data: ArrayLike<number> | undefined): void {
    this.emit("incoming", []);
    if (data?.length) this.#attempt(() => Y.applyUpdate(this.doc, new Uint8Array(data), this));
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail("message", error);
    }
  }

  #push(event: string, bytes: Uint8Array): void {
    if (this.channel?.state !== "joined") return;
    this.channel.push(event, bytes.buffer as unknown as object).receive("error", (reason) => this.#refused(reason, bytes[0] === SYNC));
  }

  #pushUpdate(update: Uint8Array): void {
    this.channel?.push("update", { data: Array.from(update) }).receive("error", (reason) => this.#refused(reason));
  }

  // What was refused stays pending, until the server asks for what it lacks.
  #refused(reason: unknown, change = true): void {
    if ((reason as { reason?: string } | undefined)?.reason === "read_only") this.#setReadOnly(true);
    else if (change) this.#told = false;
    this.#fail("rejected", reason);
  }

  #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return;
    if (origin !== this.persistence) this.#store();
    const bytes = message(SYNC, (e) => writeUpdate(e, update));
    this.#publish(bytes);
    if (this.readOnly) return;
    // What was read from this device is not a new change.
    if (!this.persistence || origin !== this.persistence) this.#setPending(this.pending + 1);
    if (this.channel?.state !== "joined") return;
    if (this.protocol === "yjs") this.#push("yjs", bytes);
    else this.#pushUpdate(update);
    this.#confirm();
  };

  // Only our own state is ours to tell. A page that wakes finds everybody else
  // timed out; passing that on would remove them for all.
  #onAwareness = ({ added, updated, removed }: Record<"added" | "updated" | "removed", number[]>): void => {
    const own = this.doc.clientID;
    if (![added, updated, removed].some((ids) => ids.includes(own))) return;
    const update = encodeAwarenessUpdate(this.awareness, [own]);
    const bytes = message(AWARENESS, (e) => encoding.writeVarUint8Array(e, update));
    if (this.protocol === "yjs") this.#push("yjs", bytes);
    else if (this.channel?.state === "joined") this.channel.push("awareness", { data: Array.from(update) });
    this.#publish(bytes);
  };

  // A change is confirmed by a heartbeat sent behind it: the server handles a
  // connection's messages in order, so its answer means it has read the change.
  #confirm(): void {
    if (!this.pending || this.#confirming) return;
    this.#confirming = true;
    this.#confirmTimer = setTimeout(() => {
      const upTo = this.#changes;
      const sent = this.#synced && this.#told && this.channel?.state === "joined" && this.socket.ping(() => {
        this.#confirming = false;
        if (this.#told) this.#setPending(this.#changes - upTo);
        this.#confirm();
      });
      if (!sent) this.#confirming = false;
    }, CONFIRM_MS);
  }

  #setPending(pending: number): void {
    if (pending > this.pending) this.#changes += pending - this.pending;
    if (pending === this.pending) return;
    if (!pending || !this.pending) void this.persistence?.set(UNSAVED, pending ? 1 : 0).catch(() => {});
    this.pending = pending;
    this.emit("pending", [pending]);
  }

  // After the store's own listener, which may come behind ours.
  #store(): void {
    const { persistence } = this;
    if (!persistence?.whenStored) return;
    const set = (state: boolean) => {
      if (this.stored !== state) this.emit("stored", [this.stored = state]);
    };
    const turn = ++this.#storing;
    set(false);
    Promise.resolve().then(() => persistence.whenStored!()).then(
      () => turn === this.#storing && set(true),
      (error) => turn === this.#storing && this.#fail("offline", error));
  }

  #setReadOnly(state: boolean): void {
    if (this.readOnly === state) return;
    this.readOnly = state;
    if (state) this.#setPending(0);
    else this.resync();
    this.emit("read-only", [state]);
  }

  #status(status: ProviderStatus): void {
    this.status = status;
    this.emit("status", [{ status, transport: this.transport }]);
  }

  #fail(code: ProviderError["code"], reason: unknown): void {
    this.error = { code, reason };
    this.emit("error", [this.error]);
  }

  #down(status: ProviderStatus): void {
    clearTimeout(this.#confirmTimer);
    this.#confirming = false;
    this.synced = false;
    const { awareness, doc } = this;
    const others = [...awareness.getStates().keys()].filter((id) => id !== doc.clientID);
    removeAwarenessStates(awareness, others, this);
    // Forget their clocks too, or they stay invisible until they next change.
    for (const id of others) awareness.meta.delete(id);
    if (this.status !== status) this.#status(status);
  }

  async #load(): Promise<void> {
    if (!this.persistence) return;
    try {
      await this.persistence.whenSynced;
      if (await this.persistence.get(UNSAVED)) {
        this.#setPending(this.pending + 1);
        this.#confirm();
      }
      this.#store();
      this.emit("loaded", []);
    } catch (error) {
      this.#fail("offline", error);
    }
  }

  #onVisibility = (): void => {
    const hidden = document.visibilityState === "hidden";
    if (!hidden && this.#hiddenAt && Date.now() - this.#hiddenAt > HIDDEN_MS) this.resync();
    this.#hiddenAt = hidden ? Date.now() : 0;
  };

  #onPageHide = (): void => this.#publish(message(AWARENESS, (e) =>
    encoding.writeVarUint8Array(e, encodeAwarenessUpdate(this.awareness, [this.doc.clientID], new Map()))));

  #publish(bytes: Uint8Array): void {
    if (this.bcconnected) bc.publish(this.bcChannel, bytes, this);
  }

  #onTab = (data: ArrayBuffer, origin: unknown): void => {
    if (origin === this) return;
    this.#attempt(() => {
      const reply = this.#read(new Uint8Array(data), false);
      if (reply) this.#publish(reply);
    });
  };

  #connectBc(): void {
    if (this.#disableBc || this.bcconnected) return;
    bc.subscribe(this.bcChannel, this.#onTab);
    this.bcconnected = true;
    const { awareness, doc } = this;
    this.#publish(message(SYNC, (e) => writeSyncStep1(e, doc)));
    this.#publish(message(SYNC, (e) => writeSyncStep2(e, doc)));
    this.#publish(message(QUERY_AWARENESS, () => {}));
    if (awareness.getLocalState() === null) return;
    this.#publish(message(AWARENESS, (e) => encoding.writeVarUint8Array(e, encodeAwarenessUpdate(awareness, [doc.clientID]))));
  }

  #disconnectBc(): void {
    const bytes = message(AWARENESS, (e) =>
      encoding.writeVarUint8Array(e, encodeAwarenessUpdate(this.awareness, [this.doc.clientID], new Map())));
    if (this.protocol === "yjs") this.#push("yjs", bytes);
    this.#publish(bytes);
    if (!this.bcconnected) return;
    bc.unsubscribe(this.bcChannel, this.#onTab);
    this.bcconnected = false;
  }
}
