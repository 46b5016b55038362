import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand, terminalTest } from "./testing/command.test.kit.ts";

test("arborio --help, --version: say so on standard output, and all is well", async () => {
  const help = await runCommand(["--help"]);
  assert.deepEqual([help.code, help.err], [0, ""]);
  assert.match(help.out, /^Usage: arborio .*run .*Exit codes: /s);
  const version = await runCommand(["--version"]);
  assert.deepEqual([version.code, version.err], [0, ""]);
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  const helpOfRun = await runCommand(["help", "run"]);
  assert.deepEqual([helpOfRun.code, helpOfRun.err], [0, ""]);
  assert.match(helpOfRun.out, /--backend <name>.*--dev/s);
});

test("arborio: without a command, it prints its help as an error", async () => {
  const { code, out, err } = await runCommand([]);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^Usage: arborio /);
});

test("arborio: an option that is not known is an error of the command line", async () => {
  const ended = await runCommand(["run", "--bogus", "x.ts"]);
  const err =
    "arborio: unknown option '--bogus'\n(try it with --help; options of the program go behind --)\n";
  assert.deepEqual(ended, { code: 2, out: "", err });
});

terminalTest("arborio --help: in a terminal it is the same", async () => {
  const { out: piped } = await runCommand(["--help"]);
  const { code, out } = await runCommand(["--help"], { terminal: true });
  assert.equal(code, 0);
  // Deno clears its line in a terminal before it begins.
  assert.ok(out.replaceAll("\r\n", "\n").endsWith(piped), out);
});
