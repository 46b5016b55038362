import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { ModuleFolder } from "../testing/command.test.kit.ts";
import { ask, isAlive, pidsOf, startWorkers, WORKERS } from "../testing/workers.test.kit.ts";

test("arborio serve --workers: several processes share a port; SIGTERM lets their requests finish, and none is left", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await startWorkers(folder);
  using _ = command;
  const pids = await pidsOf(url);
  assert.ok(!pids.has(command.pid));
  const slow = ask(`${url}slow`);
  await command.until(/slow began/);
  command.signal("SIGTERM");
  assert.ok(pids.has(await slow));
  const { code, out, err } = await command.ended();
  assert.equal(code, 0, err);
  assert.match(out, /slow ended/);
  assert.equal(out.match(/listening/g)?.length, 1);
  for (const pid of pids) assert.equal(isAlive(pid), false);
});

test("arborio serve --workers: a worker that crashes has a successor", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await startWorkers(folder);
  using _ = command;
  const before = await pidsOf(url);
  const [crashing] = before;
  process.kill(crashing as number, "SIGKILL");
  await command.until(
    /^arborio: worker \d was ended by SIGKILL; another one is started in 0\.5 s$/m,
  );
  const after = await pidsOf(url);
  assert.equal([...after].filter((pid) => before.has(pid)).length, WORKERS - 1);
});

test("arborio serve --workers: SIGHUP replaces all, and what goes on in the old ones is finished", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await startWorkers(folder);
  using _ = command;
  const before = await pidsOf(url);
  const slow = ask(`${url}slow`);
  await command.until(/slow began/);
  command.signal("SIGHUP");
  await command.until(/^arborio: 2 workers were replaced$/m);
  assert.ok(before.has(await slow));
  const after = await pidsOf(url);
  assert.ok([...after].every((pid) => !before.has(pid)));
});
