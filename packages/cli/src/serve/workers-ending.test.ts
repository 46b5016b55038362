import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandProcess, ModuleFolder } from "../testing/command.test.kit.ts";
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
