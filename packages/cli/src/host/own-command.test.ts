import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { ownCommand } from "./own-command.ts";

test("ownCommand: this runtime with its options, but for a debugger, which only one can have", () => {
  const before = process.execArgv;
  process.execArgv = ["--enable-source-maps", "--inspect=1234", "--inspect-brk"];
  try {
    const [program, ...args] = ownCommand(["serve", "a.ts"]);
    assert.equal(program, process.execPath);
    assert.deepEqual(args.slice(-2), ["serve", "a.ts"]);
    assert.ok(existsSync(args.at(-3) as string), args.join(" "));
    assert.ok(!args.some((arg) => arg.startsWith("--inspect")), args.join(" "));
    if (!("Deno" in globalThis)) assert.equal(args[0], "--enable-source-maps");
    else assert.ok(args.includes("--allow-net") && args.includes("--no-prompt"), args.join(" "));
  } finally {
    process.execArgv = before;
  }
});
