// SPDX-License-Identifier: MIT
// React hooks over rooms.ts. They only read and subscribe: the room outlives
// any one render, so strict mode's double mount neither joins twice nor
// leaves. `usePhoenixYjs` at the end takes the place of the hook of that name.
import {
  createContext, createElement, useCallback, useContext, useEffect, useMemo, useRef, useSyncExternalStore,
  type ReactNode,
} from "react";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import type { PresenceEntry, ProviderOptions, RoomdProvider } from "./provider.js";
import { openRoom, sharedSocket, type RoomState } from "./rooms.js";
import type { ConnectOptions, Health, RoomdSocket } from "./socket.js";

export type { RoomState } from "./rooms.js";

interface Server {
  url: string;
  options?: ConnectOptions | undefined;
}

const serverFromEnv = (): string => {
  const env = (import.meta as { env?: Record<string, string | undefined> }).env;
  return (env && env.VITE_PHOENIX_URL) || "/socket";
};

const Context = createContext<Server | null>(null);

/** Sets the server for everything inside it; without it: `VITE_PHOENIX_URL`, else `/socket` of this host. */
export const Roomd = ({ url, options, children }: Server & { children?: ReactNode }) => {
  const first = useRef(options);
  const value = useMemo(() => ({ url, options: first.current }), [url]);
  return createElement(Context.Provider, { value }, children);
};

const useServer = (): Server => {
  const server = useContext(Context);
  return useMemo(() => server ?? { url: serverFromEnv() }, [server]);
};

/** The page's one socket for this server. */
export const useSocket = (): RoomdSocket => {
  const { url, options } = useServer();
  return useMemo(() => sharedSocket(url, options), [url, options]);
};

/** What the connection does, drawn again when state, transport or round trip change. */
export const useHealth = (): Health => {
  const socket = useSocket();
  const last = useRef(socket.health);
  const subscribe = useCallback((changed: () => void) => socket.onHealth((health) => {
    last.current = health;
    changed();
  }), [socket]);
  return useSyncExternalStore(subscribe, () => last.current, () => last.current);
};

export interface RoomHandle extends RoomState {
  doc: Y.Doc;
  provider: RoomdProvider;
  awareness: Awareness;
}

/**
 * Joins a room for as long as the component lives. `roomId` without a colon is
 * taken as `room:<roomId>`. Options count for the first component that opens it.
 */
export const useRoom = (roomId: string, options?: ProviderOptions): RoomHandle => {
  const { url } = useServer();
  const socket = useSocket();
  const topic = roomId.includes(":") ? roomId : `room:${roomId}`;
  const find = () => openRoom(socket, url, topic, options);
  const room = find();
  const subscribe = useCallback((changed: () => void) => find().subscribe(changed), [room]);
  // Read by name: a room that was dropped before this component came to
  // subscribe is opened anew, and its state differs.
  const state = useSyncExternalStore(subscribe, () => find().state, () => room.state);
  return useMemo(() => ({
    ...state, doc: room.doc, provider: room.provider, awareness: room.provider.awareness,
  }), [state, room]);
};

/** A value recomputed when `listen` says so; the same object until then. */
const useSnapshot = <T>(listen: (changed: () => void) => () => void, read: () => T, deps: unknown[]): T => {
  const cache = useMemo(() => ({ value: read() }), deps);
  const subscribe = useCallback((changed: () => void) => {
    cache.value = read();
    return listen(() => {
      cache.value = read();
      changed();
    });
  }, [cache]);
  const get = () => cache.value;
  return useSyncExternalStore(subscribe, get, get);
};

/** Who is in the room, as the server counts them (Phoenix Presence). */
export const usePresence = ({ provider }: Pick<RoomHandle, "provider">): PresenceEntry[] =>
  useSnapshot((changed) => {
    provider.on("presence", changed);
    return () => provider.off("presence", changed);
  }, () => provider.presence, [provider]);

export type AwarenessEntry<S> = S & { clientId: number; self: boolean };

/** Everybody's awareness state, and the setter of fields of one's own. */
export const useAwareness = <S extends object = Record<string, unknown>>(
  { awareness }: Pick<RoomHandle, "awareness">,
): [AwarenessEntry<Partial<S>>[], (fields: Partial<S>) => void] => {
  const states = useSnapshot((changed) => {
    awareness.on("change", changed);
    return () => awareness.off("change", changed);
  }, () => [...awareness.getStates()].map(([clientId, state]) =>
    ({ ...(state as Partial<S>), clientId, self: clientId === awareness.clientID })), [awareness]);
  const set = useCallback((fields: Partial<S>) =>
    awareness.setLocalState({ ...awareness.getLocalState(), ...fields }), [awareness]);
  return [states, set];
};

interface Shared {
  observeDeep(f: () => void): void;
  unobserveDeep(f: () => void): void;
}

const useShared = <T extends Shared, V>(type: T, read: (type: T) => V): V =>
  useSnapshot((changed) => {
    type.observeDeep(changed);
    return () => type.unobserveDeep(changed);
  }, () => read(type), [type]);

type Doc = Pick<RoomHandle, "doc">;

/** A map of the document as a plain object, and the shared type to change it with. */
export const useYMap = <V = unknown>({ doc }: Doc, name: string): [Record<string, V>, Y.Map<V>] => {
  const type = doc.getMap<V>(name);
  return [useShared(type, (map) => map.toJSON() as Record<string, V>), type];
};

/** An array of the document as a plain array, and the shared type to change it with. */
export const useYArray = <V = unknown>({ doc }: Doc, name: string): [V[], Y.Array<V>] => {
  const type = doc.getArray<V>(name);
  return [useShared(type, (array) => array.toJSON() as V[]), type];
};

/** A text of the document as a string, and the shared type to change it with. */
export const useYText = ({ doc }: Doc, name: string): [string, Y.Text] => {
  const type = doc.getText(name);
  return [useShared(type, (text) => text.toString()), type];
};

export interface Task {
  id: string;
  text?: string;
  completed?: boolean;
  [field: string]: unknown;
}

const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

// A plain object in a Y.Array is replaced as a whole, so two people changing
// one task at once leave two of it. The later one counts, everywhere alike.
const lastOfEach = (tasks: Task[]): Task[] => {
  const last = new Map(tasks.map((task, index) => [task?.id, index]));
  return tasks.filter((task, index) => task && (task.id === undefined || last.get(task.id) === index));
};

export interface PhoenixYjs {
  tasks: Task[];
  /** A text, or the fields of a task; returns its id. */
  addTask(task: string | Partial<Task>): string;
  /** By id, or by index in `tasks`. */
  updateTask(task: string | number, changes: Partial<Task> | ((task: Task) => Partial<Task>)): void;
  deleteTask(task: string | number): void;
  /** Puts a task at another index of `tasks`. */
  moveTask(task: string | number, to: number): void;
  room: RoomHandle;
}

/**
 * The task list of a room: the array `tasks` of its document, plain objects,
 * shared with pages that still use the older hook.
 */
export const usePhoenixYjs = (roomId: string, options?: ProviderOptions): PhoenixYjs => {
  const room = useRoom(roomId, options);
  const [raw, array] = useYArray<Task>(room, "tasks");
  const tasks = useMemo(() => lastOfEach(raw), [raw]);
  useEffect(() => {
    if (room.status === "connected") console.log("Joined Phoenix room");
  }, [room.status]);
  const actions = useMemo(() => {
    const list = () => lastOfEach(array.toJSON() as Task[]);
    // Pages with an older hook may have numbers as ids.
    const idOf = (task: string | number) => {
      if (typeof task !== "number") return task;
      const tasks = list();
      return (tasks.find((other) => (other.id as unknown) === task) ?? tasks[task])?.id;
    };
    /** Takes out every copy of a task; gives the one that counts. */
    const take = (id: string): [Task | undefined, number] => {
      const all = array.toJSON() as Task[];
      let task: Task | undefined;
      let at = -1;
      for (let i = all.length - 1; i >= 0; i--) {
        if (all[i]?.id !== id) continue;
        task ??= all[i];
        at = i;
        array.delete(i);
      }
      return [task, at];
    };
    const edit = (task: string | number, change: (id: string) => void) => {
      const id = idOf(task);
      if (id !== undefined) room.doc.transact(() => change(id));
    };
    return {
      addTask(task: string | Partial<Task>): string {
        const fields = typeof task === "string" ? { text: task } : task;
        const full = { completed: false, ...fields, id: fields.id ?? newId() };
        array.push([full]);
        return full.id;
      },
      updateTask(task: string | number, changes: Partial<Task> | ((task: Task) => Partial<Task>)): void {
        edit(task, (id) => {
          const [old, at] = take(id);
          if (old) array.insert(at, [{ ...old, ...(typeof changes === "function" ? changes(old) : changes), id }]);
        });
      },
      deleteTask(task: string | number): void {
        edit(task, take);
      },
      moveTask(task: string | number, to: number): void {
        edit(task, (id) => {
          const rest = list().filter((other) => other.id !== id);
          const [old] = take(id);
          if (!old) return;
          const before = rest[Math.max(0, to)];
          const all = array.toJSON() as Task[];
          const at = before ? all.map((other) => other?.id).lastIndexOf(before.id) : all.length;
          array.insert(at, [old]);
        });
      },
    };
  }, [array, room.doc]);
  return { tasks, ...actions, room };
};
