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

for (const [title, args, message] of [
  ["an option that is not known", ["run", "--bogus", "x.ts"], "unknown option '--bogus'"],
  ["a command that is not known", ["rum", "x.ts"], "unknown command 'rum'\n(Did you mean run?)"],
  ["no file", ["run"], "missing required argument 'file'"],
  [
    "a seed that is none",
    ["run", "--seed", "-1", "x.ts"],
    "option '--seed <number>' argument '-1' is invalid. It needs a whole number from 0 to 4294967295.",
  ],
  [
    "a backend that is none",
    ["run", "--backend", "mars", "x.ts"],
    "option '--backend <name>' argument 'mars' is invalid. Allowed choices are host, simulator.",
  ],
  [
    "a time without a unit",
    ["run", "--grace", "10", "x.ts"],
    "option '--grace <time>' argument '10' is invalid. It needs a number with a unit, such as 500ms, 10s or 2m.",
  ],
  [
    "a seed without a simulator",
    ["run", "--seed", "1", "x.ts"],
    "--seed is for --backend simulator",
  ],
] as const) {
  test(`arborio: ${title} is an error of the command line`, async () => {
    const { code, out, err } = await runCommand(args);
    assert.deepEqual([code, out], [2, ""]);
    assert.equal(err.split("\n(try it")[0]?.trimEnd(), `arborio: ${message}`);
  });
}

terminalTest("arborio --help: in a terminal it is the same", async () => {
  const { out: piped } = await runCommand(["--help"]);
  const { code, out } = await runCommand(["--help"], { terminal: true });
  assert.equal(code, 0);
  // Deno clears its line in a terminal before it begins.
  assert.ok(out.replaceAll("\r\n", "\n").endsWith(piped), out);
});
