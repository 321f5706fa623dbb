// SPDX-License-Identifier: MIT
// The two transports by hand, so that what fails is seen by itself: nothing
// reconnects, nothing falls back.

export class Failed extends Error {
  constructor(readonly kind: "refused" | "silent" | "cut" | "answer", message: string) {
    super(message);
  }
}

export const within = <T>(ms: number, work: Promise<T>, what: string): Promise<T> => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Failed("silent", `no answer to ${what} for ${Math.round(ms / 1000)} s`)), ms);
  work.then(resolve, reject).finally(() => clearTimeout(timer));
});

const echoMessage = (ref: string, payload: unknown): string => JSON.stringify([null, ref, "phoenix", "echo", payload]);

type Waiter = { resolve: (payload: unknown) => void; reject: (error: Error) => void };

/** Answers by their refs. */
class Answers {
  private readonly waiting = new Map<string, Waiter>();
  private refs = 0;

  ask(send: (ref: string) => void): Promise<unknown> {
    const ref = `d${++this.refs}`;
    return new Promise((resolve, reject) => {
      this.waiting.set(ref, { resolve, reject });
      send(ref);
    });
  }

  take(text: string): void {
    const [, ref, , , payload] = JSON.parse(text) as [unknown, string, string, string, { response: unknown }];
    this.waiting.get(ref)?.resolve(payload.response);
    this.waiting.delete(ref);
  }

  fail(error: Error): void {
    for (const waiter of this.waiting.values()) waiter.reject(error);
    this.waiting.clear();
  }
}

export class Ws {
  private readonly answers = new Answers();
  private opened = 0;
  /** Resolves with how it ended. */
  readonly ended: Promise<{ code: number; clean: boolean; afterMs: number }>;

  private constructor(private readonly socket: WebSocket) {
    this.ended = new Promise((resolve) => {
      socket.onclose = ({ code, wasClean }) => {
        const afterMs = this.opened ? performance.now() - this.opened : 0;
        this.answers.fail(new Failed("cut", `cut after ${seconds(afterMs)} (code ${code})`));
        resolve({ code, clean: wasClean, afterMs });
      };
    });
    socket.onmessage = ({ data }) => this.answers.take(String(data));
  }

  /** A name of its own: that an app's WebSockets were cut before must not have this one refused. */
  static async open(base: URL, ms: number): Promise<Ws> {
    const url = new URL("websocket", base);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = `vsn=2.0.0&client_id=doctor-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
    const socket = new WebSocket(url);
    const ws = new Ws(socket);
    const open = new Promise<void>((resolve, reject) => {
      socket.onopen = () => {
        ws.opened = performance.now();
        resolve();
      };
      void ws.ended.then(() => reject(new Failed("refused", "refused: the handshake was answered with something else, or the connection was dropped")));
    });
    try {
      await within(ms, open, "the handshake");
    } catch (error) {
      socket.close();
      throw error;
    }
    return ws;
  }

  echo(payload: unknown, ms: number): Promise<unknown> {
    return within(ms, this.answers.ask((ref) => this.socket.send(echoMessage(ref, payload))), "a message");
  }

  close(): void {
    this.socket.close();
  }
}

interface Polled {
  status: number;
  token: string | null;
  messages: string[];
}

export class Lp {
  private constructor(private readonly base: URL, private readonly token: string) {}

  static async open(base: URL, ms: number): Promise<Lp> {
    const { status, token } = await Lp.request(new URL("longpoll?vsn=2.0.0", base), { headers: { accept: "application/json" } }, ms);
    if (status !== 410 || !token) throw new Failed("answer", `a new session was answered with status ${status}`);
    return new Lp(base, token);
  }

  private static async request(url: URL, init: RequestInit, ms: number): Promise<Polled> {
    const what = init.method === "POST" ? "a POST" : "a poll";
    const answer = await within(ms, fetch(url, { ...init, cache: "no-store" }).catch(() => {
      throw new Failed("cut", `${what} failed: the connection was refused or cut`);
    }), what);
    const text = await within(ms, answer.text(), what);
    try {
      return JSON.parse(text) as Polled;
    } catch {
      throw new Failed("answer", `${what} was answered by something else: HTTP ${answer.status}, ${answer.headers.get("content-type") ?? "no type"}`);
    }
  }

  private url(): URL {
    return new URL(`longpoll?vsn=2.0.0&token=${encodeURIComponent(this.token)}`, this.base);
  }

  /** One poll, however long the server holds it. */
  poll(ms: number): Promise<Polled> {
    return Lp.request(this.url(), { headers: { accept: "application/json" } }, ms);
  }

  async echo(payload: unknown, ms: number): Promise<unknown> {
    const sent = await Lp.request(this.url(), {
      method: "POST", headers: { "content-type": "application/x-ndjson" }, body: echoMessage("d", payload),
    }, ms);
    if (sent.status !== 200) throw new Failed("answer", `a message was answered with status ${sent.status}`);
    const { messages } = await this.poll(ms);
    if (!messages.length) throw new Failed("answer", "a poll came back empty");
    return (JSON.parse(messages[0]!) as [unknown, unknown, unknown, unknown, { response: unknown }])[4].response;
  }
}

/** `n` characters that no compression makes much smaller. */
export const noise = (n: number): string => {
  let text = "";
  while (text.length < n) {
    text += String.fromCharCode(...crypto.getRandomValues(new Uint8Array(3072)).map((byte) => 48 + (byte & 63)));
  }
  return text.slice(0, n);
};

export const seconds = (ms: number): string =>
  ms < 995 ? `${Math.round(ms)} ms` : ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
