import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findGaps, readCitations, readPromises } from "./lib/promises.ts";
import { findFiles, matrixTestFiles, root } from "./lib/workspace.ts";

const promisesPage = "docs/promises.md";
const conformance = "packages/arborio/src/testing/conformance/*.ts";

test("docs/promises.md: every promise has a test, and every number in a title is a promise", () => {
  const files = new Set([...matrixTestFiles(), ...findFiles([conformance])]);
  const tests = new Map([...files].map((path) => [path, read(path)]));
  assert.deepEqual(findGaps(read(promisesPage), tests), []);
});

test("readPromises: numbered paragraphs, and sections that have none", () => {
  const page = "## §1 A\n\n**§1.1** b\n\n**§1.2** c\n\n**§1** d\n\n## §2 E\n\nSee §1.1.\n";
  assert.deepEqual(readPromises(page), ["1.1", "1.2", "1", "2"]);
});

test("readCitations: one number, lists and ranges, in titles but not in comments", () => {
  const cited = (source: string): string[] =>
    readCitations(source).map(({ first, last }) =>
      first === last ? first : `${first} to ${last}`,
    );
  assert.deepEqual(cited('test("Lock: it holds (§2.2)", body);'), ["2.2"]);
  assert.deepEqual(cited('  test(`Lock: ${name} "holds" (§2.2, §6)`, body);'), ["2.2", "6"]);
  assert.deepEqual(cited('["it holds (§3.1–§3.3 and §5)", body],'), ["3.1 to 3.3", "5"]);
  assert.deepEqual(cited('["it holds (§3.1-3.3)", body],'), ["3.1 to 3.3"]);
  assert.deepEqual(cited("// as promised (§2.2)\n/** In titles: `(§2.4)`. */\n * `(§2.4)`"), []);
  assert.deepEqual(cited("const x = f(a); // (§2.2)"), []);
});

test("findGaps: promises without a test and numbers that are no promise", () => {
  const tests = new Map([["a.test.ts", '\ntest("b (§1.1–§1.2, §1.9)", () => {});']]);
  assert.deepEqual(findGaps("## §1 A\n\n**§1.1**\n\n**§1.2**\n\n**§1.3**\n\n## §2 D\n", tests), [
    "a.test.ts:2: there is no §1.9",
    "§1.3 has no test",
    "§2 has no test",
  ]);
});

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
