// SPDX-License-Identifier: MIT
// A phoenix.js Socket with the defaults a collaborative page wants: it falls
// back to long-poll by itself, and back to WebSocket once that has worked here
// before; it spreads its reconnects; it reads binary messages that a long-poll
// server sends as base64; it notices when the machine slept; and it can tell
// what it is doing (transport, round trip, bytes). It stays a Socket: whatever
// takes one takes this.
import { LongPoll, Socket, type Channel } from "phoenix";

export type TransportName = "websocket" | "longpoll";
// Node before 22 has none: there it is long-poll, as phoenix.js itself decides.
const hasWebSocket = (): boolean => typeof WebSocket !== "undefined";

/** `auto` tries WebSocket and falls back; the others insist. */
export type TransportMode = "auto" | TransportName;
export type SocketState = "connecting" | "open" | "closed";
export type AuthToken = string | (() => string | Promise<string>);

export interface ConnectOptions {
  /** Socket parameters (`user_id`, ...), or a function that is asked at every connect. */
  params?: Record<string, unknown> | (() => Record<string, unknown>);
  /** Asked again at every connect, so a fresh token is used after a long sleep. */
  authToken?: AuthToken;
  transport?: TransportMode;
  /** How long a WebSocket may take to answer its first ping; default 2500 ms. */
  longPollFallbackMs?: number;
  /** On long-poll, where a WebSocket has worked before: how soon to try one again; default 60 s, then twice as long each time. */
  upgradeAfterMs?: number;
  /** How often `health.rtt` is measured while somebody listens; default 5000 ms, 0 never. */
  pingIntervalMs?: number;
  /** How long an old connection may take to answer after a sleep; default 4000 ms. */
  wakeTimeoutMs?: number;
  /** Default: jittered, 0.1 s growing to 15 s. */
  reconnectAfterMs?: (tries: number) => number;
  /** Default: jittered, 1 s growing to 15 s. */
  rejoinAfterMs?: (tries: number) => number;
  heartbeatIntervalMs?: number;
  longpollerTimeout?: number;
  timeout?: number;
  logger?: (kind: string, message: string, data: unknown) => void;
  /** Where phoenix.js remembers that only long-poll works; default `sessionStorage`. */
  sessionStorage?: object;
}

/** A snapshot; bytes are those of messages, before headers and compression. */
export interface Health {
  state: SocketState;
  transport: TransportName;
  /** The last measured round trip in ms, or null. */
  rtt: number | null;
  sentBytes: number;
  receivedBytes: number;
  sentMessages: number;
  receivedMessages: number;
  /** Connections opened after the first. */
  reconnects: number;
}

type Decoded = (message: unknown) => void;
type Wire = string | ArrayBuffer;

const PHOENIX_FALLBACK = "phx:fallback:LongPoll";
const WS_TRIES = 3;
const TICK_MS = 5000;

const jittered = (steps: number[], last: number) => (tries: number) =>
  Math.round((steps[tries - 1] ?? last) * (0.5 + Math.random()));

const size = (data: Wire) => (typeof data === "string" ? data.length : data.byteLength);

const fromBase64 = (text: string): ArrayBuffer => {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
};

/** `http:` becomes `ws:`; what is relative is taken from the page. `/socket` stays, phoenix.js knows it. */
const socketUrl = (url: string): string => {
  if (/^(\/|wss?:)/.test(url)) return url.replace(/\/$/, "");
  // On a server, where nothing connects, any base will do.
  const base = typeof document === "undefined" ? "http://localhost" : document.baseURI;
  const { protocol, host, pathname } = new URL(url, base);
  return `${protocol === "https:" || protocol === "wss:" ? "wss" : "ws"}://${host}${pathname.replace(/\/$/, "")}`;
};

export class RoomdSocket extends Socket {
  // Phoenix's own, which its types leave out.
  declare encode: (message: object, done: (data: Wire) => void) => void;
  declare decode: (data: Wire, done: Decoded) => void;
  declare transport: new (endpoint: string) => object;
  declare authToken: undefined | (() => string);
  declare longPollFallbackMs: number;
  declare channels: (Channel & { joinRef(): string })[];
  declare readonly conn: null | { endpointURL(): string };
  declare connection: null | { ended?: boolean };

  /** How this socket was asked to connect; see `setTransport`. */
  mode: TransportMode;

  #options: ConnectOptions;
  #health: Health;
  #listeners = new Set<(health: Health) => void>();
  #wsWorked = false;
  #wsFailures = 0;
  #longPollFailed = false;
  #opened = 0;
  #wanted = false;
  #tokenRun = 0;
  #tokenTries = 0;
  #tokenTimer: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #tick: ReturnType<typeof setInterval> | undefined;
  #lastTick = 0;
  #lastPing = 0;
  #upgradeMs: number;
  #upgradeAt = Infinity;
  #checking = false;

  constructor(url: string, options: ConnectOptions = {}) {
    const { params, authToken, transport: mode = "auto", pingIntervalMs, wakeTimeoutMs, upgradeAfterMs = 60000, ...rest } = options;
    const own = typeof params === "function" ? params : () => params ?? {};
    super(socketUrl(url), {
      longPollFallbackMs: 2500,
      reconnectAfterMs: jittered([200, 500, 1000, 2000, 4000], 10000),
      rejoinAfterMs: jittered([1000, 2000, 5000], 10000),
      ...rest,
      params: () => ({ ...own(), lp_binary: "base64" }),
      ...(mode === "longpoll" ? { transport: LongPoll } : {}),
    } as object);
    this.#options = { pingIntervalMs: 5000, wakeTimeoutMs: 4000, longPollFallbackMs: 2500, ...options };
    this.mode = mode;
    this.#upgradeMs = upgradeAfterMs;
    this.#applyMode();
    this.#health = {
      state: "closed", transport: this.#name(), rtt: null, sentBytes: 0, receivedBytes: 0,
      sentMessages: 0, receivedMessages: 0, reconnects: 0,
    };
    this.#countWire();
    this.onOpen(() => this.#onOpen());
    this.onClose(() => this.#set({ state: this.#wanted ? "connecting" : "closed", rtt: null }));
    this.onError(() => {
      if (this.#health.state === "open") return;
      this.#wsFailures++;
      this.#longPollFailed = this.#name() === "longpoll";
    });
    this.onMessage(() => {
      if (this.#name() === "websocket") this.#wsWorked = true;
    });
    if (typeof authToken === "string") this.authToken = () => authToken;
  }

  /** A snapshot of what the connection does. */
  get health(): Health {
    return { ...this.#health };
  }

  /** Calls back at once and whenever state, transport or round trip change. Returns the way to stop. */
  onHealth(listener: (health: Health) => void): () => void {
    this.#listeners.add(listener);
    listener(this.health);
    this.#measure();
    return () => void this.#listeners.delete(listener);
  }

  override connect(params?: unknown): void {
    if (!this.#wanted) this.#watch();
    this.#wanted = true;
    if (this.connection && !this.connection.ended) return;
    this.#set({ state: "connecting", rtt: null });
    this.#preferWebSocket();
    const token = this.#options.authToken;
    if (typeof token !== "function") return super.connect(params);
    const run = ++this.#tokenRun;
    const proceed = (value: string) => {
      if (run !== this.#tokenRun) return;
      this.#tokenTries = 0;
      this.authToken = () => value;
      super.connect(params);
    };
    const retry = (error: unknown) => {
      if (run !== this.#tokenRun) return;
      this.log("auth", "no token", error);
      const wait = jittered([1000, 2000, 5000], 10000)(++this.#tokenTries);
      this.#tokenTimer = setTimeout(() => this.connect(params), wait);
    };
    try {
      const value = token();
      if (typeof value === "string") proceed(value);
      else value.then(proceed, retry);
    } catch (error) {
      retry(error);
    }
  }

  override disconnect(callback?: () => void, code?: number, reason?: string): void {
    this.#wanted = false;
    this.#unwatch();
    this.#tokenRun++;
    clearTimeout(this.#tokenTimer);
    clearTimeout(this.#deadline);
    this.#leaveLongPoll();
    super.disconnect(callback, code, reason);
    this.#set({ state: "closed", rtt: null });
  }

  /** Drops the connection, if any, and makes a new one now. Channels rejoin by themselves. */
  reconnect(): void {
    this.#leaveLongPoll();
    super.disconnect();
    this.connect();
  }

  /** Changes the transport of a living socket; channels rejoin by themselves. */
  setTransport(mode: TransportMode): void {
    this.mode = mode;
    this.#wsFailures = 0;
    if (mode === "auto") this.#forgetFallback();
    this.#leaveLongPoll();
    super.replaceTransport(mode === "longpoll" || !hasWebSocket() ? LongPoll : WebSocket);
    this.#applyMode();
    this.#set({ state: this.#wanted ? "connecting" : "closed", transport: this.#name(), rtt: null });
    if (this.#wanted) this.connect();
  }

  /**
   * Asks a connection that may have died unnoticed (sleep, another network) to
   * prove itself, and makes a new one if it does not.
   */
  check(): void {
    if (!this.#wanted || this.#checking) return;
    if (!this.isConnected()) return this.reconnect();
    this.#tryWebSocket();
    this.#checking = true;
    const suspect = this.connection;
    const timer = setTimeout(() => {
      this.#checking = false;
      if (this.#wanted && this.connection === suspect) this.reconnect();
    }, this.#options.wakeTimeoutMs);
    this.ping((rtt) => {
      clearTimeout(timer);
      this.#checking = false;
      this.#set({ rtt });
    });
  }

  // Nobody notices that a long-poll client is gone until its session expires.
  // So it says so, with a request that outlives the page.
  #leaveLongPoll(): void {
    if (this.#name() !== "longpoll" || !this.isConnected()) return;
    const left = this.channels.filter((channel) => channel.state === "joined").map((channel) =>
      JSON.stringify([channel.joinRef(), this.makeRef(), channel.topic, "phx_leave", {}]));
    const headers = { "content-type": "application/x-ndjson" };
    const url = this.conn?.endpointURL();
    if (left.length && url) fetch(url, { method: "POST", keepalive: true, headers, body: left.join("\n") }).catch(() => {});
  }

  #name(): TransportName {
    return this.transport === LongPoll ? "longpoll" : "websocket";
  }

  #applyMode(): void {
    this.longPollFallbackMs = this.mode === "auto" ? this.#options.longPollFallbackMs ?? 2500 : 0;
  }

  // Phoenix.js falls back for good on the first connect that fails, so a
  // server's restart would leave every client on long-poll. Where a WebSocket
  // has worked, it is tried first at each reconnect, and a few times before the
  // fallback is allowed at all; where both failed, neither is to blame.
  #preferWebSocket(): void {
    if (!hasWebSocket() || this.mode !== "auto" || !(this.#wsWorked || this.#longPollFailed)) return;
    const patient = this.#wsWorked && this.#wsFailures < WS_TRIES;
    const fallbackMs = this.#options.longPollFallbackMs ?? 2500;
    this.longPollFallbackMs = patient ? 0 : fallbackMs;
    this.transport = WebSocket;
    clearTimeout(this.#deadline);
    if (patient) this.#deadline = setTimeout(() => {
      this.#wsFailures = WS_TRIES;
      this.reconnect();
    }, 2 * fallbackMs);
  }

  // A proxy that was in the way may be gone: a WebSocket beside the long-poll
  // session, and the move when it has answered.
  #tryWebSocket(): void {
    if (this.mode !== "auto" || !this.#wsWorked || this.#name() !== "longpoll") return;
    this.#upgradeMs *= 2;
    this.#upgradeAt = Date.now() + this.#upgradeMs;
    const token = this.authToken && ["phoenix", `base64url.bearer.phx.${btoa(this.authToken()).replace(/=/g, "")}`];
    const probe = new WebSocket(this.endPointURL(), token);
    const timer = setTimeout(() => probe.close(), this.#options.longPollFallbackMs);
    probe.onopen = () => probe.send('[null,"0","phoenix","heartbeat",{}]');
    probe.onmessage = () => {
      probe.close();
      if (this.#wanted && this.mode === "auto" && this.#name() === "longpoll") this.setTransport("auto");
    };
    probe.onclose = () => clearTimeout(timer);
  }

  #forgetFallback(): void {
    try {
      const store = (this.#options.sessionStorage ?? sessionStorage) as Storage;
      store.removeItem(PHOENIX_FALLBACK);
    } catch {
      // no storage, nothing remembered
    }
  }

  #countWire(): void {
    const { encode, decode } = this;
    const health = this.#health;
    this.encode = (message, done) => encode(message, (data) => {
      health.sentBytes += size(data);
      health.sentMessages++;
      done(data);
    });
    this.decode = (data, done) => {
      health.receivedBytes += size(data);
      health.receivedMessages++;
      decode(typeof data === "string" && data[0] !== "[" ? fromBase64(data) : data, done);
    };
  }

  #onOpen(): void {
    clearTimeout(this.#deadline);
    this.#wsFailures = 0;
    this.#upgradeAt = Date.now() + this.#upgradeMs;
    this.#set({ state: "open", transport: this.#name(), reconnects: this.#opened++ });
    this.#measure();
  }

  #set(change: Partial<Health>): void {
    const health = this.#health;
    const news = (Object.keys(change) as (keyof Health)[]).some((key) => health[key] !== change[key]);
    Object.assign(health, change);
    if (news) for (const listener of [...this.#listeners]) listener(this.health);
  }

  #measure(): void {
    if (!this.#listeners.size || !this.#options.pingIntervalMs || !this.isConnected()) return;
    this.#lastPing = Date.now();
    this.ping((rtt) => this.#set({ rtt }));
  }

  #onTick = (): void => {
    const now = Date.now();
    const slept = now - this.#lastTick > 3 * TICK_MS;
    this.#lastTick = now;
    if (slept) return this.check();
    if (now >= this.#upgradeAt) this.#tryWebSocket();
    const every = this.#options.pingIntervalMs ?? 0;
    const hidden = typeof document !== "undefined" && document.visibilityState === "hidden";
    if (!hidden && now - this.#lastPing >= every - TICK_MS / 2) this.#measure();
  };

  #onOnline = (): void => this.check();

  #watch(): void {
    this.#lastTick = Date.now();
    this.#tick = setInterval(this.#onTick, TICK_MS);
    (this.#tick as { unref?: () => void }).unref?.();
    if (typeof addEventListener === "function") addEventListener("online", this.#onOnline);
  }

  #unwatch(): void {
    clearInterval(this.#tick);
    if (typeof removeEventListener === "function") removeEventListener("online", this.#onOnline);
  }
}

/** Makes a socket and connects it. `url` may be absolute or relative to the page: `/socket` by default. */
export const connect = (url = "/socket", options?: ConnectOptions): RoomdSocket => {
  const socket = new RoomdSocket(url, options);
  socket.connect();
  return socket;
};
