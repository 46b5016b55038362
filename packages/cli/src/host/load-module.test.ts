import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleFolder, runCommand } from "../testing/command.test.kit.ts";

const isDeno = "Deno" in globalThis;
const isNode = !("Bun" in globalThis) && !isDeno;

test("arborio run: a module that waits for what never comes, before there is a main", async () => {
  using folder = new ModuleFolder();
  folder.write("main.mjs", "await new Promise(() => {}); export const main = () => {};");
  const { code, out, err } = await runCommand(["run", "main.mjs"], { cwd: folder.path });
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    isDeno
      ? /Top-level await promise never resolved/
      : /^arborio: a module waits, in an await at its top level, for what never comes\n$/,
  );
});

test("arborio run: a CommonJS module", async () => {
  using folder = new ModuleFolder();
  folder.write("main.cjs", "module.exports = { main: () => 3 };");
  assert.equal((await runCommand(["run", "main.cjs"], { cwd: folder.path })).code, 3);
});

test("arborio run: a file that the runtime does not take is told from one that is imported", async () => {
  using folder = new ModuleFolder();
  folder.write("a.css", "a { b: c }");
  folder.write("main.mjs", 'import "./a.css"; export const main = () => {};');
  const options = { cwd: folder.path };
  const own = await runCommand(["run", "a.css"], options);
  const imported = await runCommand(["run", "main.mjs"], options);
  if (isNode) {
    assert.equal(own.code, 2);
    assert.match(own.err, /a\.css: Node .* does not take this kind of file; it needs JavaScript/);
  } else assert.notEqual(own.code, 0);
  // Bun takes it for what it is.
  if ("Bun" in globalThis) return;
  assert.equal(imported.code, 1);
  assert.match(imported.err, /a\.css/);
});
