import assert from "node:assert/strict";
import { join, normalize } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isInside, joinPath, safePathOf } from "./safe-path.ts";

test("safePathOf: decodes once, name by name", () => {
  for (const [pathname, names, isDirectory] of [
    ["/", [], true],
    ["/a/b.txt", ["a", "b.txt"], false],
    ["/a/b/", ["a", "b"], true],
    ["/a%20b/%C3%A4", ["a b", "ä"], false],
    ["/%252e%252e/x", ["%2e%2e", "x"], false],
    ["/...", ["..."], false],
    ["/..a/b..", ["..a", "b.."], false],
    ["/a+b", ["a+b"], false],
    ["/C:/x", ["C:", "x"], false],
  ] as const)
    assert.deepEqual(safePathOf(pathname), { names, isDirectory }, pathname);
});

test("safePathOf: what could lead out, or to two things, leads nowhere", () => {
  for (const pathname of [
    "",
    "a",
    "//",
    "//evil/",
    "/a//b",
    "/a//",
    "/.",
    "/..",
    "/../x",
    "/a/../b",
    "/a/./b",
    "/%2e",
    "/%2e%2e/x",
    "/.%2E/x",
    "/a%2fb",
    "/a%2Fb",
    "/..%2fx",
    "/a\\b",
    "/a%5cb",
    "/..%5C..%5Cx",
    "/%5c%5chost%5cshare",
    "/a%00b",
    "/a\0b",
    "/%",
    "/%zz",
    "/%ff",
    "/%c0%ae%c0%ae/x",
    "/\ud800",
    `/${"a".repeat(256)}`,
    `/${"ä".repeat(128)}`,
    `/${"a/".repeat(2500)}`,
    `/${"%61".repeat(5000)}`,
  ])
    assert.equal(safePathOf(pathname), null, JSON.stringify(pathname.slice(0, 40)));
});

const piece = fc.constantFrom(
  "..",
  ".",
  "/",
  "%2f",
  "%5c",
  "\\",
  "%00",
  "%2e",
  "%252e",
  "%",
  "a",
  "ä",
  "%c3%a4",
);

test("safePathOf: whatever is asked for, the joined path is below the folder", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = safePathOf(`/${pieces.join("")}`);
      if (path === null) return;
      const joined = joinPath("/srv/site", path.names);
      assert.equal(joined, normalize(joined), "the system would read another path");
      assert.ok(isInside(joined, "/srv/site"));
      assert.ok(!joined.includes("\0") && !joined.includes("\\"));
    }),
    { numRuns: 2000 },
  );
});

test("isInside, joinPath: a folder is not another one whose name begins so", () => {
  assert.equal(isInside("/srv/site", "/srv/site"), true);
  assert.equal(isInside("/srv/site/a", "/srv/site"), true);
  assert.equal(isInside("/srv/site2/a", "/srv/site"), false);
  assert.equal(isInside("/srv", "/srv/site"), false);
  assert.equal(isInside("/etc", "/"), true);
  for (const folder of ["/srv", "/srv/", "/"])
    assert.equal(joinPath(folder, ["a", "b"]), join(folder, "a", "b"));
  assert.equal(joinPath("/srv", []), "/srv");
  assert.equal(joinPath("/", []), "/");
});
