// SPDX-License-Identifier: MIT
export { connect, RoomdSocket } from "./socket.js";
export type { AuthToken, ConnectOptions, Health, SocketState, TransportMode, TransportName } from "./socket.js";
export { RoomdProvider } from "./provider.js";
export type {
  Persistence, PersistenceFactory, PresenceEntry, ProviderError, ProviderEvents, ProviderOptions, ProviderStatus, StatusEvent,
} from "./provider.js";
