// SPDX-License-Identifier: MIT
// What the documents tell people to write, run as it stands there, against the
// real daemon (ROOMD: its path; skipped without, as the pages need no daemon
// to be built). Addresses are those of the daemon, nothing else is changed.
import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Socket } from "phoenix";
import { act } from "react";
// @ts-expect-error: has no types
import { JSDOM } from "jsdom";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
// jsdom brings it.
// @ts-expect-error: has no types
import { WebSocket as NodeWebSocket } from "ws";
import * as Y from "yjs";
import { RoomdProvider, connect } from "../src/index.js";
import type { PhoenixYjs } from "../src/react.js";

const program = process.env.ROOMD;
const run = test.runIf(program);
const sources = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const document_ = (file: string) => fs.readFileSync(path.join(sources, file), "utf8");
const WAIT = { timeout: 60000, interval: 20 };

let daemon: ChildProcess | undefined;
let folder: string;
let url: string;
let rooms = 0;

beforeAll(async () => {
  if (!program) return;
  vi.stubGlobal("WebSocket", NodeWebSocket);
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "roomd-www-"));
  const conf = path.join(folder, "roomd.conf");
  fs.writeFileSync(conf, "");
  daemon = spawn(program, ["--config", conf, "--port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  url = await new Promise<string>((resolve, reject) => {
    let log = "";
    daemon!.stderr!.on("data", (data) => {
      log += data;
      const port = /listening.*?\bport=(\d+)/.exec(log)?.[1];
      if (port) resolve(`ws://127.0.0.1:${port}/socket`);
    });
    daemon!.on("exit", (code) => reject(new Error(`roomd ended with ${code}\n${log}`)));
    daemon!.on("error", reject);
  });
}, 60000);

afterAll(async () => {
  if (!daemon) return;
  const ended = new Promise((resolve) => daemon!.on("exit", resolve));
  daemon.kill();
  expect(await ended).toBe(0);
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Another member of the room, with nothing of ours: section 1 of the protocol, as pages of the service it replaces speak it. */
const oldPage = async (topic: string) => {
  const doc = new Y.Doc();
  const socket = new Socket(url);
  socket.connect();
  const channel = socket.channel(topic, {});
  channel.on("update", ({ data }: { data: number[] }) => Y.applyUpdate(doc, new Uint8Array(data), "server"));
  doc.on("update", (update: Uint8Array, origin: unknown) => origin !== "server" && channel.push("update", { data: Array.from(update) }));
  await new Promise<void>((resolve) => channel.join().receive("ok", ({ state }: { state: number[] }) => {
    if (state.length) Y.applyUpdate(doc, new Uint8Array(state), "server");
    resolve();
  }));
  return { doc, leave: () => socket.disconnect() };
};

const samePage = async (topic: string) => {
  const provider = new RoomdProvider(connect(url), topic, new Y.Doc(), { disableBc: true });
  await provider.whenSynced;
  return { doc: provider.doc, leave: () => {
    provider.destroy();
    provider.socket.disconnect();
    provider.doc.destroy();
  } };
};

/** A browser, but for the types that hold bytes: jsdom's would be of another realm than what comes from the network. */
const browser = async () => {
  const { window } = new JSDOM("", { url: url.replace(/^ws/, "http") });
  for (const name of ["document", "location", "navigator", "XMLHttpRequest"] as const) vi.stubGlobal(name, window[name]);
  vi.stubGlobal("window", window);
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  return { ...await import("react-dom/client"), ...await import("../src/react.js") };
};

/** The lines of a block that are to be written, with our daemon's address, and what they call `provider` and `socket`. */
const evaluate = (code: string, scope: Record<string, unknown>): { socket?: Socket; provider: RoomdProvider } => {
  const lines = code.replace(/^import .*\n/gm, "").replace(/"(wss?:\/\/[\w.]+)?\/socket"/g, JSON.stringify(url)).replace(/await /g, "");
  return new Function(...Object.keys(scope), `${lines}\nreturn { provider, socket: provider.socket }`)(...Object.values(scope));
};
const inStep = async (provider: RoomdProvider, topic: string) => {
  await provider.whenSynced;
  const other = await (topic.startsWith("room:") ? oldPage : samePage)(topic);
  provider.doc.getMap("m").set("here", 1);
  await vi.waitFor(() => expect(other.doc.getMap("m").toJSON()).toEqual({ here: 1 }), WAIT);
  other.doc.getMap("m").set("there", 2);
  await vi.waitFor(() => expect(provider.doc.getMap("m").toJSON()).toEqual({ here: 1, there: 2 }), WAIT);
  await vi.waitFor(() => expect(provider.pending).toBe(0), WAIT);
  other.leave();
  provider.destroy();
  provider.socket.disconnect();
  provider.doc.destroy();
};

run("the README's first example", async () => {
  const code = /```js\n(import \{ connect, RoomdProvider \}[\s\S]*?)```/.exec(document_("www/client/README.md"))![1]!;
  const { provider } = evaluate(code.replaceAll("room:plan", "room:readme"), { connect, RoomdProvider, Y });
  expect(provider.doc.getArray("tasks").toJSON()).toEqual([{ id: "1", text: "Bake bread" }]);
  await inStep(provider, "room:readme");
}, 120000);

// Two tabs of one browser, one of which has lost its way to the server.
run("what another tab tells of reaches the server", async () => {
  const topic = `y_doc_room:tabs-${++rooms}`;
  const [away, here] = [0, 1].map(() => new RoomdProvider(connect(url), topic, new Y.Doc()));
  const far = await samePage(topic);
  await Promise.all([away!.whenSynced, here!.whenSynced]);
  away!.socket.disconnect();
  away!.doc.getText("t").insert(0, "only here");
  await vi.waitFor(() => expect(far.doc.getText("t").toString()).toBe("only here"), WAIT);
  far.leave();
  for (const provider of [away!, here!]) {
    provider.destroy();
    provider.socket.disconnect();
    provider.doc.destroy();
  }
}, 120000);

const changes = [...document_("docs/MIGRATION.md").matchAll(/```diff\n([\s\S]*?)```/g)]
  .map(([, block]) => block!.split("\n").filter((line) => line.startsWith("+")).map((line) => line.slice(1)).join("\n"));

run("the migration page has a change for each of the four it names", () => {
  expect(changes.map((code) => /import \{ (.*) \}/.exec(code)![1])).toEqual([
    "usePhoenixYjs", "connect, RoomdProvider", "connect, RoomdProvider", "connect, RoomdProvider",
  ]);
});

run.each([["y-phoenix-channel", 1], ["y-websocket", 2], ["Hocuspocus", 3]])("the lines to write coming from %s", async (_name, i) => {
  const topic = changes[i]!.includes("room:plan") ? "room:plan" : "y_doc_room:7";
  const { provider } = evaluate(changes[i]!, { connect, RoomdProvider, doc: new Y.Doc(), id: "7", token: "t" });
  expect(provider.roomname).toBe(topic);
  const own = `${topic}-${++rooms}`;
  // A room of its own: the page's names are few.
  const fresh = new RoomdProvider(provider.socket, own, new Y.Doc(), { disableBc: true });
  await provider.whenSynced;
  provider.destroy();
  provider.doc.destroy();
  await inStep(fresh, own);
}, 120000);

run.each(["websocket", "longpoll"] as const)("usePhoenixYjs in place of the older hook, an old page in the room (%s)", async (transport) => {
  const id = `hook-${transport}`;
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  // The address as the service's pages have it; the only other line that changes is the import.
  vi.stubEnv("VITE_PHOENIX_URL", url);
  const old = await oldPage(`room:${id}`);
  old.doc.getArray("tasks").push([{ id: "1", text: "from the old page", completed: false }]);
  const { createRoot, Roomd, usePhoenixYjs } = await browser();
  let seen!: PhoenixYjs;
  const Page = () => {
    seen = usePhoenixYjs(id);
    return null;
  };
  const root = createRoot(document.createElement("div"));
  await act(async () => root.render(transport === "websocket" ? <Page /> : <Roomd url={`${url}/`} options={{ transport }}><Page /></Roomd>));
  const shows = (list: unknown[]) => vi.waitFor(async () => {
    await act(async () => {});
    expect(seen.tasks).toEqual(list);
    expect(old.doc.getArray("tasks").toJSON()).toEqual(list);
  }, WAIT);
  await shows([{ id: "1", text: "from the old page", completed: false }]);
  expect(seen.room.transport).toBe(transport);
  expect(log).toHaveBeenCalledWith("Joined Phoenix room");
  const added = seen.addTask("from the new one");
  await shows([{ id: "1", text: "from the old page", completed: false }, { id: added, text: "from the new one", completed: false }]);
  seen.updateTask("1", { completed: true });
  await shows([{ id: "1", text: "from the old page", completed: true }, { id: added, text: "from the new one", completed: false }]);
  seen.deleteTask(added);
  await shows([{ id: "1", text: "from the old page", completed: true }]);
  await act(async () => root.unmount());
  old.leave();
  log.mockRestore();
  vi.unstubAllEnvs();
}, 120000);
