import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { createShell } from "./shell.ts";

test("Shell.takeVariable: programs that this one starts do not get it", () => {
  process.env["ARBORIO_TEST_OF_SHELL"] = "1";
  const shell = createShell();
  assert.equal(shell.takeVariable("ARBORIO_TEST_OF_SHELL"), "1");
  assert.equal(process.env["ARBORIO_TEST_OF_SHELL"], undefined);
  assert.equal(shell.takeVariable("ARBORIO_TEST_OF_SHELL"), undefined);
});
