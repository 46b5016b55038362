import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

/** The package's folder, from the source and from a compiled copy of this file alike. */
function sourceFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "src"))) folder = dirname(folder);
  return join(folder, "src");
}

test("suspend: no Promise.race anywhere in the library, it leaks against a long-lived promise (§7)", () => {
  const src = sourceFolder();
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !/^testing\b/.test(path),
  );
  assert.ok(paths.length > 30);
  for (const path of paths) {
    const code = readFileSync(join(src, path), "utf8").replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, "");
    assert.ok(!/\bPromise\s*\.\s*race\b/.test(code), path);
  }
});
