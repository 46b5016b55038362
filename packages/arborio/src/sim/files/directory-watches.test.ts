import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "../../index.ts";
import { requireCapability } from "../../platform/capabilities.ts";
import type { WatchHandle } from "../../platform/files.ts";
import { hostOperation } from "../../platform/host-operation.ts";
import { simulate } from "../../sim.ts";

function watch(path: string, log: (string | null)[]): Promise<WatchHandle> {
  return hostOperation<WatchHandle>({
    name: "watch",
    resource: path,
    begin: (backend, done) =>
      requireCapability(backend, "files", "the test").watch(
        path,
        {
          changed: (name) => void log.push(name),
          failed: (error) => void log.push(String(error)),
        },
        done,
      ),
  });
}

test("simulated files: hints come late, together, twice, or without a name, but one comes after each change", async () => {
  const seen = { once: 0, twice: 0, nameless: 0, together: 0 };
  for (let seed = 0; seed < 100; seed++) {
    await simulate({ seed }, async ({ localhost: { files } }) => {
      files.makeDirectory("/d");
      const log: (string | null)[] = [];
      await watch("/d", log);
      files.write("/d/a", "1");
      assert.ok(log.length < 1, "not before the change is over");
      await sleep(1);
      assert.ok(log.includes("a") || log.includes(null), `seed ${seed}`);
      if (log.includes(null)) seen.nameless += 1;
      else if (log.length === 1) seen.once += 1;
      else seen.twice += 1;
      log.length = 0;
      for (let round = 0; round < 20; round++) files.write("/d/a", String(round));
      await sleep(1);
      assert.ok(log.length > 0, `seed ${seed}`);
      if (log.length < 20) seen.together += 1;
    });
  }
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > 0, kind);
});

test("simulated files: what is on its way when a watch is closed is not told", async () => {
  await simulate({ seed: 1 }, async ({ localhost: { files } }) => {
    const log: (string | null)[] = [];
    const handle = await watch("/tmp", log);
    files.write("/tmp/a", "1");
    handle.close();
    await sleep(10);
    assert.deepEqual(log, []);
  });
});

test("simulated files: many changes that nobody was told of are one hint without a name", async () => {
  await simulate({ seed: 1 }, async ({ localhost: { files } }) => {
    files.makeDirectory("/d");
    files.latencyMs = [1000, 1000];
    const log: (string | null)[] = [];
    await watch("/d", log);
    for (let number = 0; number < 20_000; number++) files.link(`/d/${number}`, "x");
    await sleep(10_000);
    assert.ok(log.includes(null));
    assert.ok(log.length < 19_000, String(log.length));
  });
});

test("simulated files: a test's own changes are told too; a watch ends with its program, and with its directory", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const server = world.host("server");
    server.files.makeDirectory("/d/below");
    const log: (string | null)[] = [];
    server.start(async () => {
      await watch("/d", log);
      await watch("/d/below", log);
      await sleep(Infinity);
    });
    await sleep(10);
    server.files.remove("/d/below");
    await sleep(10);
    assert.ok(log.includes("below") || log.includes(null));
    assert.ok(
      log.some((line) => line?.includes("ENOENT")),
      log.join(", "),
    );
    assert.equal(server.openWatches, 1);
    log.length = 0;
    server.crash();
    assert.equal(server.openWatches, 0);
    server.files.write("/d/file", "");
    await sleep(10);
    assert.equal(log.length, 0);
  });
});
