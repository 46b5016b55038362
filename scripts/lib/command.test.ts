import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "./command.ts";

const script = (text: string): string[] => ["-e", text];

test("runCommand: tells output, exit code, and that nothing was cut short", async () => {
  const program =
    "console.log(1); console.error(process.env.GIVEN, process.env.HOME); process.exitCode = 3";
  const env = { GIVEN: "x", HOME: undefined };
  const result = await runCommand(process.execPath, script(program), { env });
  assert.deepEqual([result.code, result.timedOut], [3, false]);
  assert.match(result.output, /^1$/m);
  assert.match(result.output, /^x undefined$/m);
});

test("runCommand: ends a program at its limit, with its children", async () => {
  const program = `
    const { spawn } = require("node:child_process");
    const child = spawn("sleep", ["1000"]);
    console.log(child.pid);
    process.on("SIGTERM", () => {});
    setInterval(() => {}, 1000);`;
  const result = await runCommand(process.execPath, script(program), { limitMs: 1_500 });
  assert.deepEqual([result.code, result.timedOut], [1, true]);
  await untilGone(Number(result.output));
});

test("runCommand: a program that cannot be started is an error, and nothing is left to wait for", async () => {
  await assert.rejects(runCommand("/no/such/program", []), { code: "ENOENT" });
  assert.equal(process.listenerCount("SIGINT"), 0);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`runCommand: ${signal} to who runs it ends what it runs`, async () => {
    const url = pathToFileURL(new URL("command.ts", import.meta.url).pathname).href;
    const program = `
      const { runCommand } = await import(${JSON.stringify(url)});
      await runCommand("sh", ["-c", "echo $$; exec sleep 1000"], { echo: true });`;
    const child = spawn(process.execPath, ["--input-type=module", ...script(program)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [printed] = (await once(child.stdout, "data")) as [Buffer];
    const pid = Number(printed.toString());
    assert.ok(isAlive(pid));
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number];
    assert.equal(code, signal === "SIGINT" ? 130 : 143);
    await untilGone(pid);
  });
}

/** Whether it runs: one that has ended may have to wait for its parent. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  assert.ok(pid > 1, `no number of a process: ${pid}`);
  for (let attempt = 0; isAlive(pid); attempt += 1) {
    assert.ok(attempt < 1000, `${pid} goes on`);
    await sleep(10);
  }
}
