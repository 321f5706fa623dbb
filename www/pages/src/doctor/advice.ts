// SPDX-License-Identifier: MIT
// From results to plain words: what works, and what to ask of those who run
// the network.

export type State = "waiting" | "running" | "ok" | "warn" | "bad" | "skip";

export const checkIds = [
  "reach", "path", "clock", "ws-open", "ws-echo", "ws-large", "lp-open", "lp-echo", "lp-large", "buffer", "lp-wait", "ws-live",
] as const;
export type CheckId = (typeof checkIds)[number];

export interface Outcome {
  state: State;
  text: string;
  /** How it failed, for advice. */
  kind?: string;
}
export type Outcomes = Record<CheckId, Outcome>;

export interface Verdict {
  level: "running" | "ok" | "warn" | "bad";
  title: string;
  text: string;
  advice: string[];
}

const all = (outcomes: Outcomes, prefix: string): Outcome[] =>
  checkIds.filter((id) => id.startsWith(prefix)).map((id) => outcomes[id]);

/** The state of one transport: bad as soon as one of its checks is. */
export const lane = (outcomes: Outcomes, prefix: "ws-" | "lp-"): State => {
  const states = all(outcomes, prefix).map(({ state }) => state);
  if (states.includes("bad")) return "bad";
  if (states.includes("warn")) return "warn";
  if (states.every((state) => state === "ok")) return "ok";
  return states.every((state) => state === "waiting" || state === "skip") ? "waiting" : "running";
};

const where = (socket: URL): string => `${socket.host}${socket.port ? "" : socket.protocol === "https:" ? ":443" : ":80"}`;

const webSocketAdvice = (outcomes: Outcomes, socket: URL): string[] => {
  const host = where(socket);
  const secure = socket.protocol === "https:";
  const address = `${secure ? "wss" : "ws"}://${host}${socket.pathname}websocket`;
  const advice: string[] = [];
  if (outcomes["ws-open"].state === "bad") {
    advice.push(`Please let WebSocket connections through to ${address}: HTTP/1.1 requests with “Upgrade: websocket” (RFC 6455), answered with 101.`);
    advice.push(secure
      ? `If TLS is inspected for ${socket.hostname}: exempt this host, or allow the WebSocket protocol in the inspection.`
      : `Without TLS many proxies do not know WebSockets. The surest cure is to serve this site by https.`);
    advice.push(`If browsers use an explicit proxy: allow CONNECT to ${host}.`);
    if (outcomes["ws-open"].kind === "silent") advice.push("The handshake is not refused but never answered: something drops it without a word.");
    return advice;
  }
  /* Whichever check it was that the cut came into. */
  const cut = all(outcomes, "ws-").find(({ state, kind }) => state === "bad" && kind === "cut");
  if (cut) {
    advice.push(`WebSocket connections to ${address} are ${cut.text}. The app sends a message every 30 seconds: please set idle and session timeouts for them to more than 60 seconds, better an hour; if they are cut at once, exempt ${socket.hostname} from inspection.`);
  } else if (outcomes["ws-echo"].state === "bad" || outcomes["ws-large"].state === "bad") {
    advice.push(`WebSocket connections to ${address} open, but messages on them ${outcomes["ws-echo"].state === "bad" ? "" : "of 200 kB "}do not get through. An inspecting proxy that knows the handshake and not the frames does that: please exempt ${socket.hostname}.`);
  }
  return advice;
};

const longPollAdvice = (outcomes: Outcomes, socket: URL): string[] => {
  const address = new URL("longpoll", socket).href;
  if (outcomes["lp-wait"].state === "bad" && outcomes["lp-open"].state === "ok") {
    return [`Requests to ${address} may wait up to 10 seconds for their answer; something on the way cuts them sooner. Please allow 20.`];
  }
  if (outcomes["lp-large"].state === "bad" && outcomes["lp-echo"].state === "ok") {
    return [`POST requests of 200 kB to ${address} do not get through. Please allow up to 8 MB.`];
  }
  return [`Please let GET and POST requests to ${address} pass unchanged, and do not answer them from a cache.`];
};

const finished = (outcomes: Outcomes): boolean =>
  checkIds.every((id) => outcomes[id].state !== "waiting" && outcomes[id].state !== "running");

export const judge = (outcomes: Outcomes, socket: URL): Verdict => {
  const ws = lane(outcomes, "ws-");
  const lp = lane(outcomes, "lp-");
  const advice: string[] = [];
  if (outcomes.reach.state === "bad") {
    return {
      level: "bad", title: "The server does not answer",
      text: outcomes.reach.kind === "answer"
        ? "Something else answered in its place: a login page of this network, or a filter. Open any page in another tab and see whether you are asked to sign in."
        : "Neither the page’s data nor the connection got through. Is this device online? Then something on the way blocks this server.",
      advice: [`Please let ${socket.protocol === "https:" ? "HTTPS" : "HTTP"} requests to ${where(socket)} pass.`],
    };
  }
  if (ws === "bad") advice.push(...webSocketAdvice(outcomes, socket));
  if (lp === "bad") advice.push(...longPollAdvice(outcomes, socket));
  if (outcomes.clock.state === "warn") advice.push("The clock of this device is off. Signing in may fail for that reason alone: set it by the network.");
  if (outcomes.buffer.state === "warn") advice.push("Something on the way holds responses back until they are whole. That does no harm here; live downloads elsewhere may stutter.");
  if (ws === "bad" && lp === "bad") {
    return { level: "bad", title: "Live connections do not get through", text: "The page loads, but neither WebSockets nor long-poll work from here. Changes will not reach others.", advice };
  }
  if (ws === "bad" && lp === "ok") {
    const cut = outcomes["ws-open"].state === "ok";
    return {
      level: "warn", title: "It works, by long-poll",
      text: `${cut ? "WebSockets open here but do not last" : "WebSockets do not get through from here"}. Apps with a fallback use long-poll instead: everything works, changes arrive a moment later.`, advice,
    };
  }
  if (lp === "bad" && ws === "ok") {
    return { level: "warn", title: "It works, by WebSocket alone", text: "The fallback for networks without WebSockets does not work from here. You do not need it here; the next network may.", advice };
  }
  if (!finished(outcomes)) {
    return { level: "running", title: "Checking the connection", text: ws === "bad" ? "WebSockets do not get through. Trying the rest." : "The first results are in. A connection is watched for a minute.", advice };
  }
  if (ws === "bad" || lp === "bad") {
    return { level: "warn", title: "Some of it works", text: "See below what does not.", advice };
  }
  return {
    level: advice.length && outcomes.clock.state === "warn" ? "warn" : "ok", title: "Everything works",
    text: "WebSockets and long-poll both get through and stay open. If an app has trouble, it is not the network.", advice,
  };
};
