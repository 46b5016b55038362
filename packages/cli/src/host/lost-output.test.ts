import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { SystemError } from "arborio";
import { CommandProcess, ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import { assertBytes, BIG, originOf } from "../testing/downloads.test.kit.ts";
import { serving } from "../testing/origin.test.kit.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import { LostOutput } from "./lost-output.ts";

test("LostOutput: that nobody reads is no failure and needs no words, anything else is one", () => {
  for (const cause of [
    Object.assign(new Error("write EPIPE"), { code: "EPIPE" }),
    new SystemError("write", "EPIPE"),
  ]) {
    const output = new LostOutput();
    output.lose(cause);
    output.lose(new Error("later"));
    assert.deepEqual([output.isLost, output.exitCode, output.message], [true, 141, null]);
  }
  const output = new LostOutput();
  assert.deepEqual([output.isLost, output.message], [false, null]);
  output.lose(new SystemError("write: the disk is full", "ENOSPC"));
  assert.deepEqual(
    [output.isLost, output.exitCode, output.message],
    [true, 1, "standard output: write: the disk is full"],
  );
});

test("LostOutput.onLost: once, also if it is lost already", () => {
  const output = new LostOutput();
  let calls = 0;
  output.onLost(() => calls++);
  output.lose(new Error("gone"));
  output.lose(new Error("gone"));
  assert.equal(calls, 1);
  output.onLost(() => calls++);
  assert.equal(calls, 2);
});

/** What takes nothing, ever. */
const FULL = "/dev/full";
const fullTest = testIf(existsSync(FULL), `needs ${FULL}`);

fullTest("arborio … > a full disk: said on standard error, and a failure", () => {
  const origin = originOf({ "/big.bin": BIG });
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    for (const args of [
      ["--version"],
      ["help", "fetch"],
      ["fetch", `${url}big.bin`],
      ["fetch", "--overwrite", "--json", `${url}big.bin`],
      ["fetch", "-o", "-", `${url}big.bin`],
    ]) {
      const shell = `"$0" "$@" > ${FULL}`;
      const { code, err } = await runCommand(args, { cwd: folder.path, shell });
      assert.equal(code, 1, args.join(" "));
      assert.match(
        err,
        /^arborio: standard output: .*\(?(ENOSPC|[Nn]o space).*\n$/,
        args.join(" "),
      );
    }
  });
});

fullTest("arborio … 2> a full disk: what it is for is done", () => {
  const origin = originOf({ "/big.bin": BIG });
  origin.unavailable = 1; // there is something to say
  return serving(origin.handler, async (url) => {
    using folder = new ModuleFolder();
    const shell = `"$0" "$@" 2> ${FULL}`;
    using command = new CommandProcess(["fetch", `${url}big.bin`], { cwd: folder.path, shell });
    const { code } = await command.ended();
    assert.equal(code, 0);
    assertBytes(folder, "big.bin", BIG);
    assert.equal((await runCommand(["fetch"], { shell })).code, 2);
  });
});
