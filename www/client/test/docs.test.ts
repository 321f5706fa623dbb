// SPDX-License-Identifier: MIT
// The README is the API's document: whatever can be imported, set, called,
// listened to or read is in it.
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const source = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
const readme = fs.readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8");
/** The words in code, in the text or in blocks of it. */
const words = new Set([...readme.matchAll(/```[\s\S]*?```|`[^`]+`/g)].flatMap(([code]) => code.match(/[A-Za-z][\w-]*/g) ?? []));

const entries = ["index", "offline", "react"].map(source);
const program = ts.createProgram(entries, {
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, moduleResolution: ts.ModuleResolutionKind.Bundler,
  jsx: ts.JsxEmit.ReactJSX, strict: true, skipLibCheck: true, types: [],
});
const checker = program.getTypeChecker();
const ours = (declaration: ts.Declaration) => /client\/src\//.test(declaration.getSourceFile().fileName);

/** `Name`, and `Name.member` for each public member that this package declares itself. */
const names = (symbol: ts.Symbol): string[] => {
  const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const found = [symbol.name];
  for (const declaration of real.declarations ?? []) {
    if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) continue;
    for (const member of declaration.members) {
      const name = member.name;
      if (!name || ts.isPrivateIdentifier(name) || ts.isComputedPropertyName(name) || !ours(member)) continue;
      const flags = ts.getCombinedModifierFlags(member as ts.Declaration);
      // What only describes phoenix.js's own is not this package's.
      if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Ambient)) continue;
      found.push(`${symbol.name}.${name.text}`);
    }
  }
  return found;
};

test("every export, option, field, method and event is in the README", () => {
  const all = entries.flatMap((file) => checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!)).flatMap(names);
  expect(all).toContain("connect");
  expect(all).toContain("ProviderEvents.read-only");
  expect(all).toContain("ConnectOptions.wakeTimeoutMs");
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((name) => !words.has(name.split(".").at(-1)!))).toEqual([]);
});

test("every default that the README names is the one in the code", () => {
  const code = fs.readFileSync(source("socket"), "utf8");
  const rows = [...readme.matchAll(/^\| `(\w+Ms)` \| (\d+) \|/gm)];
  expect(rows.map(([, name]) => name)).toEqual(["longPollFallbackMs", "pingIntervalMs", "upgradeAfterMs", "wakeTimeoutMs"]);
  for (const [, name, value] of rows) expect(code).toMatch(new RegExp(`${name}(:| =) ${value}\\b`));
});
