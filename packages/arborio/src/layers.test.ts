/**
 * Who may import whom, as data, and the test that reads it.
 *
 * A layer imports only what lies below it, so that each can be understood and tested without what is above. Tests are
 * free: they stand above everything. A new folder needs a row here, on purpose.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { test } from "node:test";

interface Row {
  /** Folders it may import beside itself. */
  readonly may: readonly string[];
  /** Folders of which it may import only types. */
  readonly mayTypes?: readonly string[];
  /** Whether it may import its own runtime's modules (`node:*`, `bun`). */
  readonly runtime?: true;
}

const backend: Row = { may: ["core", "backends/shared"], mayTypes: ["platform"], runtime: true };
const user: Row = { may: ["core", "sync", "streams", "platform"] };

const layers: Readonly<Record<string, Row>> = {
  core: { may: [] },
  platform: { may: ["core"] },
  sync: { may: ["core"] },
  combine: { may: ["core", "sync"] },
  streams: { may: ["core", "sync"], mayTypes: ["platform"] },
  net: user,
  codec: user,
  fs: user,
  process: user,
  threads: user,
  "backends/shared": backend,
  "backends/node": backend,
  "backends/bun": backend,
  "backends/deno": backend,
  "backends/web": backend,
  sim: { may: ["core", "sync", "platform"] },
  testing: {
    may: [
      "core",
      "platform",
      "sync",
      "combine",
      "streams",
      "net",
      "fs",
      "codec",
      "process",
      "threads",
      "sim",
    ],
  },
};

/** The one file that imports the backend, chosen by the package's `imports`. */
const host = "platform/host.ts";
const hostImport = "#platform";

/** Files by their path below src/. */
type Sources = ReadonlyMap<string, string>;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

test("layers: every import obeys the table of who may import whom", () => {
  assert.deepEqual(forbiddenImports(readSources()), []);
});

test("layers: only platform/host.ts imports #platform", () => {
  assert.deepEqual(strayHostImports(readSources()), []);
});

test("layers: entries only re-export, and reach platform/host.ts", () => {
  assert.deepEqual(entryFaults(readSources()), []);
});

test("layers: a forbidden import of any form is found", () => {
  const fault = (path: string, source: string): string[] =>
    forbiddenImports(new Map([[path, source]]));
  assert.deepEqual(fault("core/a.ts", 'import { b } from "../sync/b.ts";'), [
    "core/a.ts imports ../sync/b.ts: core may import nothing but itself",
  ]);
  assert.equal(fault("core/a.ts", 'import type { B } from "../sync/b.ts";').length, 1);
  assert.equal(fault("core/a.ts", 'import "../sync/b.ts";').length, 1);
  assert.equal(fault("core/a.ts", 'export * from "../sync/b.ts";').length, 1);
  assert.equal(fault("core/a.ts", 'export {\n  b,\n  c,\n} from "../sync/b.ts";').length, 1);
  assert.equal(fault("core/a.ts", 'const b = await import("../sync/b.ts");').length, 1);
  assert.equal(fault("core/a.ts", 'import b, { c } from "node:fs";').length, 1);
  assert.equal(fault("sim/a.ts", 'import { b } from "../backends/node/index.ts";').length, 1);
  assert.equal(fault("core/a.ts", 'import { b } from "../index.ts";').length, 1);
  assert.equal(fault("backends/node/a.ts", 'import { b } from "../bun/b.ts";').length, 1);
  assert.equal(fault("backends/node/a.ts", 'import { b } from "../../platform/b.ts";').length, 1);
  assert.equal(fault("unknown/a.ts", "").length, 1);
});

test("layers: allowed imports, comments and text are not mistaken for forbidden ones", () => {
  const sources = new Map([
    ["core/a.ts", '// import { b } from "../sync/b.ts";\n/* import "../sync/b.ts"; */'],
    ["core/b.ts", 'const text = `\nimport { b } from "../sync/b.ts";\n`;'],
    ["core/c.ts", "const text = 'a // b';\nimport { a } from \"./a.ts\";"],
    ["core/d.test.ts", 'import { b } from "../sync/b.ts";'],
    ["core/d.test.kit.ts", 'import { b } from "node:fs";'],
    ["sync/b.ts", 'import { a } from "../core/a.ts";'],
    [
      "backends/node/a.ts",
      'import type { B } from "../../platform/b.ts";\nimport fs from "node:fs";',
    ],
  ]);
  assert.deepEqual(forbiddenImports(sources), []);
});

test("layers: a second importer of #platform and a faulty entry are found", () => {
  const sources = new Map([
    ["core/a.ts", 'import { backend } from "#platform";'],
    ["index.ts", 'export { a } from "./core/a.ts";\nexport const b = 1;'],
    [
      "good.ts",
      '/** Text. */\nimport "./platform/host.ts";\nexport type { A } from "./core/a.ts";',
    ],
    [host, 'import { backend } from "#platform";'],
  ]);
  assert.deepEqual(strayHostImports(sources), [
    "core/a.ts imports #platform: only platform/host.ts may",
  ]);
  assert.deepEqual(entryFaults(sources), [
    "index.ts does more than re-export: export const b = 1;",
    "index.ts does not reach platform/host.ts: import it for its effect",
  ]);
});

function forbiddenImports(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, source] of sources) {
    if (isOfTests(path) || isEntry(path)) continue;
    const layer = layerOf(path);
    const row = layers[layer];
    if (row === undefined) {
      faults.push(`${path} is in no known layer: add a row for ${layer} to layers.test.ts`);
      continue;
    }
    for (const one of findImports(source)) {
      if (isAllowed(path, layer, row, one)) continue;
      const may = row.may.length > 0 ? `${row.may.join(", ")} and itself` : "nothing but itself";
      faults.push(`${path} imports ${one.specifier}: ${layer} may import ${may}`);
    }
  }
  return faults;
}

function isAllowed(
  path: string,
  layer: string,
  row: Row,
  { specifier, typeOnly }: Import,
): boolean {
  if (specifier === hostImport) return true; // a rule of its own
  if (!specifier.startsWith(".")) return row.runtime === true && /^(node:|bun\b)/.test(specifier);
  const target = layerOf(posix.join(posix.dirname(path), specifier));
  if (target === layer || row.may.includes(target)) return true;
  return typeOnly && (row.mayTypes ?? []).includes(target);
}

function strayHostImports(sources: Sources): string[] {
  return [...sources]
    .filter(([path, source]) => path !== host && findImports(source).some(isHostImport))
    .map(([path]) => `${path} imports ${hostImport}: only ${host} may`);
}

function isHostImport({ specifier }: Import): boolean {
  return specifier === hostImport;
}

function entryFaults(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, source] of sources) {
    if (!isEntry(path) || path.endsWith(".test.ts")) continue;
    const rest = withoutComments(source).replace(statementPattern, "").trim();
    if (rest !== "") faults.push(`${path} does more than re-export: ${rest}`);
    if (!reaches(sources, path, host)) {
      faults.push(`${path} does not reach ${host}: import it for its effect`);
    }
  }
  return faults;
}

/** Whether loading a file loads another one: only imports of values do. */
function reaches(sources: Sources, from: string, to: string): boolean {
  const seen = new Set([from]);
  for (const path of seen) {
    for (const { specifier, typeOnly } of findImports(sources.get(path) ?? "")) {
      const target = posix.join(posix.dirname(path), specifier);
      if (specifier.startsWith(".") && !typeOnly) seen.add(target);
    }
  }
  return seen.has(to);
}

/** `import … from`, `export … from` and `import` for effect, each from the start of a line. */
const statementPattern =
  /^[ \t]*(?:(?:import|export)\s+(type\s+(?!from\b))?(?:[\w$*\s,]|\{[^}]*\})*?\bfrom|import)\s*(["'])([^"'\n]+)\2;?/gm;

const dynamicPattern = /(\btypeof\s+)?\bimport\(\s*(["'])([^"'\n]+)\2/g;

function findImports(source: string): Import[] {
  const code = withoutComments(source);
  return [...code.matchAll(statementPattern), ...code.matchAll(dynamicPattern)].map(
    ([, type, , specifier = ""]) => ({ specifier, typeOnly: type !== undefined }),
  );
}

/** Comments and template literals become blanks, so that text in them is not taken for code; strings stay. */
function withoutComments(source: string): string {
  const token =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return source.replace(token, (found) => (/^["']/.test(found) ? found : ""));
}

function layerOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  if (!path.includes("/")) return "the entries";
  return first === "backends" ? `${first}/${second}` : first;
}

/** Tests are free, and so is what only they use. */
function isOfTests(path: string): boolean {
  return path.endsWith(".test.ts") || path.endsWith(".test.kit.ts");
}

function isEntry(path: string): boolean {
  return !path.includes("/");
}

function readSources(): Sources {
  const src = join(packageFolder(), "src");
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(src, path), "utf8")]));
}

/** The package's folder, from the source and from a compiled copy of this file alike. */
function packageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "src"))) folder = dirname(folder);
  return folder;
}
