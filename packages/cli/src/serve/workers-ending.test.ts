import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleFolder, runCommand } from "../testing/command.test.kit.ts";
import { isAlive, pidsOf, shortly, startWorkers } from "../testing/workers.test.kit.ts";

test("arborio serve --workers: workers end when their supervisor was killed", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await startWorkers(folder);
  using _ = command;
  const pids = await pidsOf(url);
  command.signal("SIGKILL");
  // Bounded by the time that a test may take.
  while ([...pids].some(isAlive)) await shortly();
});

test("arborio serve --workers: a module that cannot be loaded is told once", async () => {
  using folder = new ModuleFolder();
  folder.write("app.mjs", 'throw new Error("at the top");');
  const args = ["serve", "--port", "0", "--workers", "2", "app.mjs"];
  const { code, out, err } = await runCommand(args, { cwd: folder.path });
  assert.deepEqual([code, out], [1, ""]);
  const last = "arborio: the first worker ended with exit code 1 before it listened\n";
  assert.ok(err.includes("at the top") && err.endsWith(last), err);
  assert.equal(err.match(/before it listened/g)?.length, 1);
});
