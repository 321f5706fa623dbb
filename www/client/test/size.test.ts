// SPDX-License-Identifier: MIT
// The size that a page pays for, and that what it does not use stays out.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const source = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));

const bundle = async (contents: string): Promise<string> => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    bundle: true, minify: true, write: false, format: "esm", target: "es2022",
    external: ["phoenix", "yjs", "lib0/*", "react"],
  });
  return outputFiles[0]!.text;
};
const packed = (code: string) => gzipSync(code, { level: 9 }).length;

test("everything but React stays under 6 kB, y-protocols included", async () => {
  const size = packed(await bundle(`export * from ${JSON.stringify(source("index"))}`));
  console.log(`roomd-client: ${size} bytes gzipped`);
  expect(size).toBeLessThan(6000);
});

test("a socket alone carries no Yjs", async () => {
  const code = await bundle(`export { connect } from ${JSON.stringify(source("index"))}`);
  expect(code).not.toMatch(/yjs|awareness|lib0/);
  expect(packed(code)).toBeLessThan(2600);
});

test("who keeps nothing on the device does not bring the store", async () => {
  expect(await bundle(`export * from ${JSON.stringify(source("index"))}`)).not.toMatch(/indexedDB/);
  const store = packed(await bundle(`export { offline } from ${JSON.stringify(source("offline"))}`));
  expect(store).toBeLessThan(1200);
});

test("one hook does not bring the task list", async () => {
  const code = await bundle(`export { useRoom } from ${JSON.stringify(source("react"))}`);
  expect(code).not.toMatch(/Joined Phoenix room/);
});
