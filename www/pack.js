// SPDX-License-Identifier: MIT
// node pack.js BUILT OUT.tar       writes the npm package roomd-client, its
//                                  compiled files being in the folder BUILT
//
// What `npm pack` makes, but the same bytes wherever it runs: no times, no
// owners, in order of names. Compressed it is what `npm install FILE.tgz` takes.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const client = fileURLToPath(new URL("client/", import.meta.url));
const BLOCK = 512;

const entry = (name, bytes) => {
  const head = Buffer.alloc(BLOCK);
  const octal = (value, at, length) => head.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  if (Buffer.byteLength(name) > 100) throw new Error(`${name}: too long a name`);
  head.write(name, 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(499162500, 136, 12); // npm's own: no time before 1980 suits every tool
  head.write("        0", 148);
  head.write("ustar\x0000", 257, "latin1");
  octal(head.reduce((sum, byte) => sum + byte, 0), 148, 7);
  head.write(" ", 155);
  return [head, bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))];
};

/** The files of the package by their names in it. */
export const contents = (built) => {
  const files = ["LICENSE", "README.md", "package.json"].map((name) => [name, path.join(client, name)]);
  for (const name of fs.readdirSync(built)) files.push([`dist/${name}`, path.join(built, name)]);
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
};

export const pack = (built) => Buffer.concat([
  ...[...contents(built)].flatMap(([name, file]) => entry(`package/${name}`, fs.readFileSync(file))),
  Buffer.alloc(2 * BLOCK),
]);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [built, out] = process.argv.slice(2);
  if (!built || !out) {
    console.error("usage: node pack.js BUILT OUT.tar");
    process.exit(2);
  }
  fs.mkdirSync(path.dirname(out), { recursive: true });
  fs.writeFileSync(out, pack(built));
}
