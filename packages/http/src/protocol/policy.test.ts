/** The guide to the parser says what the sources do. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type CorpusCase, REQUEST_CASES, RESPONSE_CASES } from "./corpus.test.kit.ts";
import { DEFAULT_PROTOCOL_LIMITS } from "./limits.ts";
import { RULES } from "./rules.ts";

const GUIDE = "docs/http-parser.md";
const root = rootOf(dirname(fileURLToPath(import.meta.url)));
const guide = readFileSync(join(root, GUIDE), "utf8");
const cases: readonly CorpusCase[] = [...REQUEST_CASES, ...RESPONSE_CASES];

test("docs/http-parser.md: each rule, with its status and a test that exists", () => {
  const rows = rowsOf(guide, 5).map(([rule = "", status, , , title = ""]) => {
    return { rule: rule.replaceAll("`", ""), status: Number(status), title };
  });
  const documented = Object.fromEntries(rows.map(({ rule, status }) => [rule, status]));
  assert.deepEqual(documented, { ...RULES });
  assert.equal(rows.length, Object.keys(RULES).length, "each once");
  for (const { rule, title } of rows) {
    const tested = cases.find((one) => one.title === title);
    assert.match(tested?.expected.at(-1) ?? "no such test", new RegExp(`^refused ${rule} `), title);
  }
});

test("docs/http-parser.md: each advisory has a test that exists", () => {
  const titles = new Set([...cases.map((one) => one.title), ...titlesOfTests()]);
  const rows = rowsOf(guide, 3).filter(([first = ""]) => !first.startsWith("`"));
  assert.ok(rows.length > 10);
  assert.deepEqual(
    rows.map(([, , title = ""]) => title).filter((title) => !titles.has(title)),
    [],
  );
});

test("docs/http-parser.md: each limit with its default", () => {
  const rows = rowsOf(guide, 3).filter(([first = ""]) => first.startsWith("`"));
  const documented = rows.map(([limit = "", value]) => [limit.replaceAll("`", ""), Number(value)]);
  assert.deepEqual(Object.fromEntries(documented), { ...DEFAULT_PROTOCOL_LIMITS });
});

/** Rows of the tables with so many columns, without their heads. */
function rowsOf(page: string, columns: number): string[][] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter((cells) => cells.length === columns && !isHeading(cells));
}

function isHeading([first = ""]: string[]): boolean {
  return /^-+$/.test(first) || ["Rule", "Limit", "Advisory"].includes(first);
}

function titlesOfTests(): string[] {
  const folder = join(root, "packages/http/src/protocol");
  const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  return files.flatMap((name) => {
    const source = readFileSync(join(folder, name), "utf8");
    return [...source.matchAll(/^test\("(.*)", /gm)].map(([, title = ""]) => title);
  });
}

/** The repository's folder: the tests may run from sources or compiled. */
function rootOf(folder: string): string {
  if (existsSync(join(folder, GUIDE))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`${GUIDE} was not found above the tests`);
  return rootOf(parent);
}
