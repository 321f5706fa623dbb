// SPDX-License-Identifier: MIT
// node deliver.js FROM TO          makes TO the built pages in FROM, each file
//                                  that compresses with its .br and .gz beside it;
//                                  of NAME.tar only NAME.tgz
// node deliver.js --check FROM TO  only says where TO differs; exit code 1 then
//
// A compressed file counts as right when it unpacks to the right bytes: zlib's
// and brotli's output changes between versions of node, and the committed
// files shall not change with it. So `--check` proves them on any machine.
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const check = process.argv[2] === "--check";
const [from, to] = process.argv.slice(check ? 3 : 2);
if (!from || !to) {
  console.error("usage: node deliver.js [--check] FROM TO");
  process.exit(2);
}

const SMALLEST = 200;
const compressible = /\.(html|js|css|svg|txt|json)$/;
const codings = {
  ".br": {
    pack: (bytes) => zlib.brotliCompressSync(bytes, {
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
    unpack: zlib.brotliDecompressSync,
  },
  ".gz": { pack: (bytes) => zlib.gzipSync(bytes, { level: 9 }), unpack: zlib.gunzipSync },
};

const list = (folder, below = "") => fs.existsSync(path.join(folder, below))
  ? fs.readdirSync(path.join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(below, entry.name);
    return entry.isDirectory() ? list(folder, name) : [name];
  }).sort()
  : [];

const read = (name) => {
  try {
    return fs.readFileSync(path.join(to, name));
  } catch {
    return null;
  }
};
const unpacksTo = (packed, coding, bytes) => {
  try {
    return packed !== null && coding.unpack(packed).equals(bytes);
  } catch {
    return false;
  }
};

const differences = [];
const put = (name, bytes) => {
  differences.push(name);
  if (check) return;
  fs.mkdirSync(path.dirname(path.join(to, name)), { recursive: true });
  fs.writeFileSync(path.join(to, name), bytes);
};

const wanted = new Set();
for (const name of list(from)) {
  const bytes = fs.readFileSync(path.join(from, name));
  if (name.endsWith(".tar")) {
    const packed = name.replace(/tar$/, "tgz");
    wanted.add(packed);
    if (!unpacksTo(read(packed), codings[".gz"], bytes)) put(packed, codings[".gz"].pack(bytes));
    continue;
  }
  wanted.add(name);
  if (!read(name)?.equals(bytes)) put(name, bytes);
  if (!compressible.test(name) || bytes.length < SMALLEST) continue;
  for (const [suffix, coding] of Object.entries(codings)) {
    wanted.add(name + suffix);
    if (!unpacksTo(read(name + suffix), coding, bytes)) put(name + suffix, coding.pack(bytes));
  }
}
for (const name of list(to)) {
  if (wanted.has(name)) continue;
  differences.push(`${name} (no longer made)`);
  if (!check) fs.rmSync(path.join(to, name));
}
if (!wanted.size) differences.push(`nothing in ${from}`);
for (const name of differences) console.log(check ? `differs: ${name}` : name);
process.exit(check && differences.length ? 1 : 0);
