import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../command-error.ts";
import { findModule } from "../host/load-module.ts";
import { ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import { chooseMain, exitCodeOf } from "./choose-main.ts";

function refused(what: () => unknown, message: string): void {
  assert.throws(what, (error: unknown) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, message);
    return true;
  });
}

test("chooseMain: main, else the default export", () => {
  const [main, other] = [(): void => {}, (): void => {}];
  assert.equal(chooseMain("a.ts", { main, default: other }), main);
  assert.equal(chooseMain("a.ts", { default: other }), other);
  assert.equal(chooseMain("a.cjs", { default: { main } }), main);
  const needs = "it needs: export async function main(group, args) { … }";
  refused(() => chooseMain("a.ts", { other }), `a.ts exports neither main nor a default; ${needs}`);
  refused(
    () => chooseMain("a.ts", { main: 1, default: other }),
    `a.ts exports a main that is no function; ${needs}`,
  );
});

test("chooseMain: a default that is no function is said to be one", () => {
  const needs = "it needs: export async function main(group, args) { … }";
  for (const whole of [1, null, {}, { main: 1 }])
    refused(
      () => chooseMain("a.ts", { default: whole }),
      `a.ts exports no main, and a default that is no function; ${needs}`,
    );
});

test("exitCodeOf: a whole number from 0 to 255, else 0", () => {
  assert.deepEqual(
    [0, 7, 255, 256, -1, 1.5, NaN, "7", undefined].map(exitCodeOf),
    [0, 7, 255, 0, 0, 0, 0, 0, 0],
  );
});

test("findModule: a file, absolute", () => {
  using folder = new ModuleFolder();
  const path = folder.write("a.mjs", "");
  assert.equal(findModule(path), path);
  refused(() => findModule(folder.path), `${folder.path}: this is a directory, not a module`);
  const missing = join(folder.path, "b.mjs");
  refused(() => findModule(missing), `${missing}: there is no such file`);
});

test("arborio run: a missing file, and a module without a main, are errors of the command line", async () => {
  using folder = new ModuleFolder();
  folder.write("main.mjs", "export const other = 1;");
  const options = { cwd: folder.path };
  const missing = await runCommand(["run", "none.mjs"], options);
  assert.deepEqual(missing, {
    code: 2,
    out: "",
    err: "arborio: none.mjs: there is no such file\n",
  });
  const { code, out, err } = await runCommand(["run", "main.mjs"], options);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^arborio: main\.mjs exports neither main nor a default; it needs: .*\n$/);
});
