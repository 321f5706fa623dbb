// SPDX-License-Identifier: MIT
// Who shares what in one page: one socket per server, one document and one
// provider per room, counted by their users. A room that loses its last user
// stays a moment, so that React's strict mode, a re-render or a change of page
// does not leave and join again.
import * as Y from "yjs";
import { RoomdProvider, type ProviderOptions } from "./provider.js";
import { RoomdSocket, connect, type ConnectOptions } from "./socket.js";

const LINGER_MS = 1000;
/** Rendering on a server makes the objects, and connects to nothing. */
const inBrowser = typeof window !== "undefined";

const sockets = new Map<string, RoomdSocket>();
const rooms = new Map<string, Room>();

/** The page's one socket for this server; options count only for the first who asks. */
export const sharedSocket = (url: string, options?: ConnectOptions): RoomdSocket => {
  let socket = sockets.get(url);
  if (!socket) sockets.set(url, socket = inBrowser ? connect(url, options) : new RoomdSocket(url, options));
  return socket;
};

/** What of a room a view may want to draw again for. */
export interface RoomState {
  status: RoomdProvider["status"];
  transport: RoomdProvider["transport"];
  synced: boolean;
  loaded: boolean;
  pending: number;
  /** Every change so far is kept on this device. */
  stored: boolean;
  readOnly: boolean;
  error: RoomdProvider["error"];
}

export class Room {
  readonly doc = new Y.Doc();
  readonly provider: RoomdProvider;
  state: RoomState;
  #key: string;
  #users = 0;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<() => void>();

  constructor(key: string, socket: RoomdSocket, topic: string, options: ProviderOptions) {
    this.#key = key;
    this.provider = new RoomdProvider(socket, topic, this.doc, { ...options, connect: false });
    this.state = this.#read();
    const refresh = () => {
      this.state = this.#read();
      for (const listener of [...this.#listeners]) listener();
    };
    for (const event of ["status", "synced", "pending", "stored", "read-only", "loaded", "error"] as const) {
      this.provider.on(event, refresh);
    }
    if (inBrowser) this.provider.connect();
  }

  /** Keeps the room while somebody listens. */
  subscribe = (listener: () => void): (() => void) => {
    clearTimeout(this.#leaving);
    this.#users++;
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (!--this.#users) this.linger();
    };
  };

  linger(): void {
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => {
      rooms.delete(this.#key);
      this.provider.destroy();
      this.doc.destroy();
    }, LINGER_MS);
  }

  #read(): RoomState {
    const { status, transport, synced, pending, stored, readOnly, error, persistence } = this.provider;
    const loaded = synced || !persistence || (this.state?.loaded ?? false) || this.#onDevice;
    return { status, transport, synced, loaded, pending, stored, readOnly, error };
  }

  get #onDevice(): boolean {
    return (this.provider.persistence as { synced?: boolean } | null)?.synced ?? false;
  }
}

/** The page's one instance of a room; stays while somebody is subscribed. */
export const openRoom = (socket: RoomdSocket, url: string, topic: string, options: ProviderOptions = {}): Room => {
  const key = `${url} ${topic}`;
  let room = rooms.get(key);
  if (!room) {
    rooms.set(key, room = new Room(key, socket, topic, options));
    room.linger();
  }
  return room;
};
