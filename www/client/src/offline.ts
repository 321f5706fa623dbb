// SPDX-License-Identifier: MIT
// Keeps a room's document on this device (IndexedDB), so that edits made
// offline survive a reload. A separate entry: only who imports it needs
// y-indexeddb.
import { IndexeddbPersistence } from "y-indexeddb";
import type { PersistenceFactory } from "./provider.js";

/** Pass as `persistence` to a provider: `new RoomdProvider(socket, room, doc, { persistence: offline })`. */
export const offline: PersistenceFactory = (name, doc) => new IndexeddbPersistence(name, doc);
