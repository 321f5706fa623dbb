// SPDX-License-Identifier: MIT
// Keeps a room's document on this device (IndexedDB), so that edits made
// offline survive a reload. A separate entry: only who imports it has it.
//
// The database is laid out as y-indexeddb's, so either reads what the other
// left. Unlike it, this one tells when an edit is really there: `whenStored`
// waits for the transaction's end, not for the request. A page that goes away
// takes unfinished transactions with it, so nothing may be called kept before.
import * as Y from "yjs";
import type { Persistence, PersistenceFactory } from "./provider.js";

const UPDATES = "updates";
const CUSTOM = "custom";
/** So many stored updates are put together into one. */
const TRIM = 500;

const result = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const ended = (transaction: IDBTransaction): Promise<void> => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(transaction.error ?? new Error("the device dropped a change"));
});

// Where there is none (a server, a sandboxed frame) it rejects, and throws nothing.
const open = async (name: string): Promise<IDBDatabase> => {
  const request = indexedDB.open(name);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(UPDATES, { autoIncrement: true });
    request.result.createObjectStore(CUSTOM);
  };
  return result(request);
};

export class DeviceStore implements Persistence {
  readonly name: string;
  readonly doc: Y.Doc;
  /** The stored document has been read. */
  synced = false;
  readonly whenSynced: Promise<this>;

  #db: Promise<IDBDatabase>;
  #waiting: Uint8Array[] = [];
  /** Writes run one after the other; settles with the last one. */
  #writing: Promise<unknown>;
  #planned = false;
  #count = 0;
  #closed = false;

  constructor(name: string, doc: Y.Doc) {
    this.name = name;
    this.doc = doc;
    this.#db = open(name);
    this.#writing = this.whenSynced = this.#load();
    this.whenSynced.catch(() => {});
    doc.on("update", this.#onUpdate);
    doc.on("destroy", this.#onDestroy);
  }

  /** Settles when every change so far survives a reload; rejects when the device refused one. */
  async whenStored(): Promise<void> {
    await this.whenSynced;
    let seen;
    do {
      if (this.#waiting.length && !this.#planned) this.#plan();
      seen = this.#writing;
      await seen;
    } while (seen !== this.#writing);
  }

  async get(key: string): Promise<unknown> {
    return result((await this.#db).transaction(CUSTOM).objectStore(CUSTOM).get(key));
  }

  async set(key: string, value: unknown): Promise<void> {
    const transaction = (await this.#db).transaction(CUSTOM, "readwrite");
    transaction.objectStore(CUSTOM).put(value, key);
    return ended(transaction);
  }

  /** Lets go of document and database; what is stored stays. */
  async destroy(): Promise<void> {
    if (this.#closed) return;
    this.doc.off("update", this.#onUpdate);
    this.doc.off("destroy", this.#onDestroy);
    await this.whenStored().catch(() => {});
    this.#closed = true;
    await this.#db.then((db) => db.close(), () => {});
  }

  /** Lets go, and forgets the document on this device. */
  async clearData(): Promise<void> {
    await this.destroy();
    await result(indexedDB.deleteDatabase(this.name));
  }

  #onDestroy = (): void => void this.destroy();

  #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return;
    this.#waiting.push(update);
    if (this.synced) this.#plan();
  };

  async #load(): Promise<this> {
    const db = await this.#db;
    // Another tab that forgets the document shall not wait for this one.
    db.onversionchange = () => db.close();
    const updates = await result<Uint8Array[]>(db.transaction(UPDATES).objectStore(UPDATES).getAll());
    const had = Y.encodeStateVector(this.doc);
    if (had.length > 1) this.#waiting.unshift(Y.encodeStateAsUpdate(this.doc));
    Y.transact(this.doc, () => {
      for (const update of updates) Y.applyUpdate(this.doc, update, this);
    }, this, false);
    this.#count = updates.length;
    this.synced = true;
    if (this.#waiting.length) this.#plan();
    return this;
  }

  // What one task changes is one write, begun before anything else can happen.
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    const write = Promise.resolve().then(() => this.#write());
    this.#writing = write;
    write.catch(() => {});
  }

  async #write(): Promise<void> {
    this.#planned = false;
    const updates = this.#waiting;
    this.#waiting = [];
    try {
      const db = await this.#db;
      const transaction = db.transaction(UPDATES, "readwrite");
      const store = transaction.objectStore(UPDATES);
      for (const update of updates) store.add(update);
      this.#count += updates.length;
      if (this.#count >= TRIM) await this.#trim(store);
      else transaction.commit?.();
      await ended(transaction);
    } catch (error) {
      // Goes along with the next change.
      this.#waiting = [...updates, ...this.#waiting];
      throw error;
    }
  }

  // Other tabs write here too: what they stored is read before it is replaced.
  async #trim(store: IDBObjectStore): Promise<void> {
    const merged = Y.mergeUpdates(await result<Uint8Array[]>(store.getAll()));
    const key = await result(store.add(merged));
    store.delete(IDBKeyRange.upperBound(key, true));
    this.#count = 1;
  }
}

/** Pass as `persistence` to a provider: `new RoomdProvider(socket, room, doc, { persistence: offline })`. */
export const offline: PersistenceFactory = (name, doc) => new DeviceStore(name, doc);
