/**
 * Who may import whom, as data, and the test that reads it. A folder imports only what its row says; `protocol` nothing but itself, so that
 * it stays free of I/O. Of `arborio` only the public entries are used. Tests are free: they stand above everything.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { test } from "node:test";

interface Row {
  /** Folders that it may import beside itself. */
  readonly may: readonly string[];
  /** Folders of which it may import only types. */
  readonly mayTypes?: readonly string[];
  /** Packages it may import: `arborio` stands for its public entries. */
  readonly packages: readonly string[];
}

const layers: Readonly<Record<string, Row>> = {
  protocol: { may: [], packages: [] },
  web: { may: ["protocol"], packages: ["arborio", "multipasta", "multipasta/Search", "cookie"] },
  negotiation: {
    may: ["protocol", "web"],
    mayTypes: ["server"],
    packages: ["arborio"],
  },
  files: {
    may: ["protocol", "web", "negotiation"],
    mayTypes: ["server"],
    packages: ["arborio", "mrmime"],
  },
  sse: { may: ["protocol", "web"], packages: ["arborio", "eventsource-parser"] },
  ops: {
    may: ["protocol", "web", "negotiation"],
    mayTypes: ["server", "client"],
    packages: ["arborio"],
  },
  connection: { may: ["protocol", "web"], mayTypes: ["ops", "server"], packages: ["arborio"] },
  server: { may: ["protocol", "web", "ops", "connection"], packages: ["arborio"] },
  pool: { may: [], packages: ["arborio"] },
  dial: { may: ["protocol", "web"], packages: ["arborio"] },
  client: {
    may: [
      "protocol",
      "web",
      "connection",
      "dial",
      "pool",
      "negotiation",
      "files",
      "websocket",
      "sse",
    ],
    packages: ["arborio", "tough-cookie"],
  },
  middleware: {
    may: ["protocol", "web", "connection", "client", "ops", "negotiation"],
    packages: ["arborio", "tough-cookie", "http-cache-semantics"],
  },
  websocket: { may: ["protocol", "web"], mayTypes: ["server"], packages: ["arborio"] },
  testing: { may: ["protocol", "web", "server"], packages: ["arborio"] },
};

/** Files by their path below src/. */
type Sources = ReadonlyMap<string, string>;

test("layers: every import obeys the table of who may import whom", () => {
  assert.deepEqual(forbiddenImports(readSources(), publicEntries()), []);
});

test("layers: a forbidden import of any form is found, and an allowed one is not mistaken for one", () => {
  const entries = new Set(["arborio", "arborio/net"]);
  const faults = (path: string, source: string): number =>
    forbiddenImports(new Map([[path, source]]), entries).length;
  assert.equal(faults("protocol/a.ts", 'import { b } from "../web/b.ts";'), 1);
  assert.equal(faults("protocol/a.ts", 'import type { B } from "../web/b.ts";'), 1);
  assert.equal(faults("protocol/a.ts", 'import { now } from "arborio";'), 1);
  assert.equal(faults("protocol/a.ts", 'export * from "node:buffer";'), 1);
  assert.equal(faults("web/a.ts", 'const b = await import("../server/b.ts");'), 1);
  assert.equal(faults("web/a.ts", 'import { a } from "arborio/src/core/a.ts";'), 1);
  assert.equal(faults("web/a.ts", 'import "../../../arborio/src/index.ts";'), 1);
  assert.equal(faults("connection/a.ts", 'import { b } from "../ops/b.ts";'), 1);
  assert.equal(faults("unknown/a.ts", ""), 1);
  assert.equal(faults("connection/a.ts", 'import type { B } from "../ops/b.ts";'), 0);
  assert.equal(faults("web/a.ts", 'import { a } from "arborio/net";'), 0);
  assert.equal(faults("web/a.ts", '// import { b } from "../server/b.ts";'), 0);
  assert.equal(faults("web/a.test.ts", 'import { b } from "../server/b.ts";'), 0);
});

function forbiddenImports(sources: Sources, entries: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  for (const [path, source] of sources) {
    const isFree = path.endsWith(".test.ts") || path.endsWith(".test.kit.ts");
    if (isFree || !path.includes("/")) continue;
    const layer = path.split("/")[0] as string;
    const row = layers[layer];
    if (row === undefined) {
      faults.push(`${path} is in no known layer: add a row for ${layer} to layers.test.ts`);
      continue;
    }
    for (const { specifier, typeOnly } of findImports(source)) {
      const isAllowed = specifier.startsWith(".")
        ? mayImportFile(path, layer, row, specifier, typeOnly)
        : mayImportPackage(row, specifier, entries);
      if (!isAllowed) faults.push(`${path} imports ${specifier}`);
    }
  }
  return faults;
}

function mayImportFile(
  path: string,
  layer: string,
  row: Row,
  specifier: string,
  typeOnly: boolean,
): boolean {
  const target = posix.join(posix.dirname(path), specifier);
  if (target.startsWith("..") || !target.includes("/")) return false;
  const folder = target.split("/")[0] as string;
  if (folder === layer || row.may.includes(folder)) return true;
  return typeOnly && (row.mayTypes ?? []).includes(folder);
}

function mayImportPackage(row: Row, specifier: string, entries: ReadonlySet<string>): boolean {
  if (/^arborio(\/|$)/.test(specifier))
    return row.packages.includes("arborio") && entries.has(specifier);
  return row.packages.includes(specifier);
}

/** `import … from`, `export … from` and `import` for effect, each from the start of a line. */
const statementPattern =
  /^[ \t]*(?:(?:import|export)\s+(type\s+(?!from\b))?(?:[\w$*\s,]|\{[^}]*\})*?\bfrom|import)\s*(["'])([^"'\n]+)\2;?/gm;

const dynamicPattern = /(\btypeof\s+)?\bimport\(\s*(["'])([^"'\n]+)\2/g;

function findImports(source: string): { specifier: string; typeOnly: boolean }[] {
  const token =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  const code = source.replace(token, (found) => (/^["']/.test(found) ? found : ""));
  return [...code.matchAll(statementPattern), ...code.matchAll(dynamicPattern)].map(
    ([, type, , specifier = ""]) => ({ specifier, typeOnly: type !== undefined }),
  );
}

function readSources(): Sources {
  const src = join(packageFolder(), "src");
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(src, path), "utf8")]));
}

/** What `arborio` lets others import. */
function publicEntries(): ReadonlySet<string> {
  const manifest = JSON.parse(
    readFileSync(join(packageFolder(), "../arborio/package.json"), "utf8"),
  ) as { exports: Record<string, unknown> };
  return new Set(Object.keys(manifest.exports).map((entry) => posix.join("arborio", entry)));
}

/** The package's folder, from the source and from a compiled copy of this file alike. */
function packageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "src"))) folder = dirname(folder);
  return folder;
}
