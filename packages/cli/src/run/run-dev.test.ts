import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandProcess, ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import { SLEEPER, STUCK } from "../testing/programs.test.kit.ts";

test("arborio run --dev: names a task that does not end when it is cancelled", async () => {
  using folder = new ModuleFolder();
  using command = new CommandProcess(["run", "--dev", folder.write("main.mjs", STUCK)]);
  await command.until(/ready/);
  command.signal("SIGINT");
  await command.until(
    /^arborio: task "stubborn" \(#\d+\) was cancelled 2\.\d s ago and has not ended: it waits in sleepForever$/m,
  );
});

test("arborio run --dev: says that the thread was blocked", async () => {
  using folder = new ModuleFolder();
  const file = folder.write(
    "main.mjs",
    `import { sleep } from "arborio";
    export async function main() {
      await sleep(10);
      for (const start = performance.now(); performance.now() - start < 500;);
      await sleep(200);
    }`,
  );
  const { code, err } = await runCommand(["run", "--dev", file]);
  assert.equal(code, 0);
  assert.match(err, /^arborio: the thread was blocked for about \d{3,} ms; no task could go on$/m);
});

test("arborio run --dev: prints the tasks at SIGQUIT, and goes on", async () => {
  using folder = new ModuleFolder();
  using command = new CommandProcess(["run", "--dev", folder.write("main.mjs", SLEEPER)]);
  await command.until(/ready/);
  command.signal("SIGQUIT");
  await command.until(/^arborio: tasks\nmain \(#\d+\): sleepForever for \d+ ms$/m);
  command.signal("SIGINT");
  assert.equal((await command.ended()).code, 130);
});
