import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CommandProcess, ModuleFolder } from "../testing/command.test.kit.ts";
import { isAlive, pidsOf, shortly, startWorkers } from "../testing/workers.test.kit.ts";

test("arborio serve --workers: workers end when their supervisor was killed, and nothing is left", async () => {
  using folder = new ModuleFolder();
  const temporary = join(folder.path, "temporary");
  mkdirSync(temporary);
  const { command, url } = await startWorkers(folder, undefined, { env: { TMPDIR: temporary } });
  using _ = command;
  const pids = await pidsOf(url);
  // Until each worker has called its supervisor, something is there.
  while (readdirSync(temporary).length > 0) await shortly();
  command.signal("SIGKILL");
  // Bounded by the time that a test may take.
  while ([...pids].some(isAlive)) await shortly();
  assert.deepEqual(readdirSync(temporary), []);
});

test("arborio serve --workers: a worker that hangs is killed when its grace is over", async () => {
  using folder = new ModuleFolder();
  const hanging = 'export default () => { console.log("asked"); for (;;); };';
  const options = ["--json", "--port", "0", "--workers", "1", "--grace", "10ms"];
  using command = new CommandProcess(["serve", ...options, folder.write("app.mjs", hanging)]);
  const [line] = await command.until(/^\{"event":"listening".*\}$/m);
  const answer = fetch((JSON.parse(line) as { url: string }).url).catch(() => null);
  await command.until(/asked/);
  command.signal("SIGTERM");
  assert.equal((await command.ended()).code, 143);
  assert.equal(await answer, null);
});
