// SPDX-License-Identifier: MIT
// The package as its users have it: packed, installed with its peers into an
// empty folder, imported by node, seen by TypeScript.
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
// @ts-expect-error: plain JavaScript
import { contents, pack } from "../../pack.js";

const www = fileURLToPath(new URL("../../", import.meta.url));
const client = path.join(www, "client");
const tsc = path.join(www, "node_modules/typescript/bin/tsc");
const read = (file: string) => JSON.parse(fs.readFileSync(file, "utf8"));
const own = read(path.join(www, "package.json"));
const manifest = read(path.join(client, "package.json"));

let folder: string;
let built: string;
let app: string;
const run = async (file: string, args: string[], cwd = app): Promise<string> =>
  (await promisify(execFile)(file, args, { cwd, timeout: 120000 })).stdout;
const npm = (...args: string[]) =>
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", ...args]);
const node = (text: string): Promise<string> => {
  fs.writeFileSync(path.join(app, "main.mjs"), text);
  return run(process.execPath, ["main.mjs"]);
};

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "roomd-client-"));
  built = path.join(folder, "built");
  app = path.join(folder, "app");
  await run(process.execPath, [tsc, "-p", path.join(client, "tsconfig.json"), "--outDir", built], www);
  fs.writeFileSync(path.join(folder, "roomd-client.tgz"), gzipSync(pack(built)));
  fs.mkdirSync(app);
  fs.writeFileSync(path.join(app, "package.json"), '{ "name": "app", "private": true, "type": "module" }');
  // As the README says; the versions are those that are tested here.
  const version = (name: string) => `${name}@${own.dependencies[name] ?? own.devDependencies[name]}`;
  await npm("../roomd-client.tgz", ...["phoenix", "yjs", "react", "@types/react"].map(version));
}, 300000);

afterAll(() => fs.promises.rm(folder, { recursive: true, force: true }), 300000);

test("every entry of the exports map is imported by node, and nothing else", async () => {
  const entries = Object.keys(manifest.exports).filter((name) => name !== "./package.json");
  const names = JSON.parse(await node(`
    const all = {};
    for (const entry of ${JSON.stringify(entries)}) all[entry] = Object.keys(await import("roomd-client" + entry.slice(1))).sort();
    console.log(JSON.stringify(all));
  `));
  expect(names).toEqual({
    ".": ["RoomdProvider", "RoomdSocket", "connect"],
    "./offline": ["DeviceStore", "offline"],
    "./react": ["Roomd", "useAwareness", "useHealth", "usePhoenixYjs", "usePresence", "useRoom", "useSocket", "useYArray", "useYMap", "useYText"],
  });
  await expect(node('await import("roomd-client/dist/socket.js")')).rejects.toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/);
});

test("one yjs and one phoenix in the application, the package's and its own", async () => {
  expect(fs.readdirSync(path.join(app, "node_modules/roomd-client")).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
  expect(await node(`
    import { RoomdProvider, connect } from "roomd-client";
    import { Socket } from "phoenix";
    import * as Y from "yjs";
    const socket = connect("ws://127.0.0.1:9/socket", { transport: "longpoll", reconnectAfterMs: () => 1e6 });
    const provider = new RoomdProvider(socket, "room:plan", new Y.Doc());
    provider.doc.getArray("tasks").push([1]);
    console.log(socket instanceof Socket, provider.doc instanceof Y.Doc, provider.pending, provider.status);
    provider.destroy();
    provider.doc.destroy();
    socket.disconnect();
  `)).toBe("true true 1 connecting\n");
});

test("without React the core is whole", async () => {
  const react = path.join(app, "node_modules/react");
  const use = 'import { connect } from "roomd-client"; import "roomd-client/offline"; console.log(typeof connect)';
  fs.renameSync(react, `${react}-away`);
  try {
    expect(await node(use)).toBe("function\n");
    await expect(node(`${use}; await import("roomd-client/react")`)).rejects.toThrow(/react/);
  } finally {
    fs.renameSync(`${react}-away`, react);
  }
});

const use = `
import { connect, RoomdProvider, RoomdSocket, type Health, type ProviderOptions } from "roomd-client";
import { DeviceStore, offline } from "roomd-client/offline";
import { Roomd, useAwareness, usePhoenixYjs, useRoom, useYArray, type PhoenixYjs } from "roomd-client/react";
import type { Socket } from "phoenix";
import * as Y from "yjs";

const socket: RoomdSocket = connect("/socket", { authToken: async () => "token", transport: "auto" });
const plain: Socket = socket;
const options: ProviderOptions = { persistence: offline, params: () => ({ a: 1 }) };
const provider = new RoomdProvider(plain, "room:plan", new Y.Doc(), options);
provider.on("status", ({ status, transport }) => { const line: string = \`\${status} \${transport}\`; void line; });
provider.on("pending", (changes) => changes.toFixed());
const stop: () => void = socket.onHealth((health: Health) => health.rtt);
export const hook = (): [PhoenixYjs, string[]] => {
  const room = useRoom("plan");
  const [people] = useAwareness<{ name: string }>(room);
  const [tasks] = useYArray<{ id: string }>(room, "tasks");
  const names: (string | undefined)[] = people.map((who) => who.name);
  void names;
  return [usePhoenixYjs("plan"), tasks.map((task) => task.id)];
};
export { DeviceStore, Roomd, stop };
// @ts-expect-error: no such mode
connect("/socket", { transport: "pigeon" });
// @ts-expect-error: no such event
provider.on("nothing", () => {});
`;

test.each([["nodenext", "nodenext"], ["es2022", "bundler"]])("TypeScript reads its types (module %s, resolution %s)", async (module, moduleResolution) => {
  fs.writeFileSync(path.join(app, "use.ts"), use);
  fs.writeFileSync(path.join(app, "tsconfig.json"), JSON.stringify({
    compilerOptions: { target: "es2022", lib: ["es2022", "dom"], module, moduleResolution, strict: true, noEmit: true, types: [] },
    files: ["use.ts"],
  }));
  let said = "";
  try {
    said = await run(process.execPath, [tsc, "-p", "."]);
  } catch (error) {
    said = (error as { stdout: string }).stdout;
  }
  expect(said).toBe("");
});

test("the tarball holds what npm pack would put into it, byte for byte the sources' licence and README", async () => {
  const copy = path.join(folder, "copy");
  fs.mkdirSync(copy);
  for (const name of ["LICENSE", "README.md", "package.json"]) fs.copyFileSync(path.join(client, name), path.join(copy, name));
  fs.cpSync(built, path.join(copy, "dist"), { recursive: true });
  const [{ files }] = JSON.parse(await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], copy));
  expect([...contents(built).keys()].sort()).toEqual(files.map((file: { path: string }) => file.path).sort());
  expect(fs.readFileSync(path.join(app, "node_modules/roomd-client/LICENSE"), "utf8")).toBe(fs.readFileSync(path.join(www, "../LICENSE"), "utf8"));
  expect(fs.readFileSync(path.join(app, "node_modules/roomd-client/README.md"), "utf8")).toBe(fs.readFileSync(path.join(client, "README.md"), "utf8"));
});

test("what roomd serves as roomd-client.tgz is this package", () => {
  const served = gunzipSync(fs.readFileSync(path.join(www, "dist/roomd-client.tgz")));
  expect(served.equals(pack(built))).toBe(true);
});
