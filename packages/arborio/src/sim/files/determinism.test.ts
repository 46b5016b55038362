import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep, taskGroup } from "../../index.ts";
import { currentBackend, requireCapability } from "../../platform/capabilities.ts";
import type { Files } from "../../platform/files.ts";
import { simulate, type SimulatedWorld } from "../../sim.ts";
import { Bench, lock, readAll, statOf, writeAll } from "../../testing/files-contract/suite.ts";
import { Trace } from "../trace.test.kit.ts";

/**
 * What happens on a simulated host's disk with the seeds 0 to 9, as a hash. The same on every runtime. They change when a choice is
 * added; then every seed that somebody has noted down means something else, which is to be told in a changeset.
 */
const HASHES: readonly string[] = [
  "b1753a2b",
  "6b203e1c",
  "ab7c0574",
  "528af35a",
  "083100f2",
  "48da958d",
  "89bf9506",
  "b787cc2d",
  "fa707162",
  "2679caea",
];

async function log(trace: Trace, bench: Bench, name: string): Promise<void> {
  const target = { access: "read-write", create: "if-missing", append: true } as const;
  const handle = await bench.openFile("log", target);
  for (let round = 0; round < 4; round++) {
    await lock(handle, { kind: "exclusive", wait: true });
    trace.note(`${name} has the lock`);
    await writeAll(handle, `${name} ${round}\n`.repeat(300), 0);
    await lock(handle, { kind: "none", wait: false });
  }
  const { size, accessedMs } = await statOf(handle);
  trace.note(`${name} sees ${size} of ${accessedMs}: ${(await readAll(handle, 5000, 40)).trim()}`);
}

async function replace(trace: Trace, bench: Bench): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await bench.write(`state.${round}`, `state ${round}`.repeat(1000));
    await bench.rename(`state.${round}`, "state");
    trace.note(`state ${round} at ${(await bench.stat("state")).modifiedMs}`);
  }
}

async function scenario(world: SimulatedWorld, trace: Trace): Promise<void> {
  const host = world.host("server");
  const files = (): Files => requireCapability(currentBackend(), "files", "the test");
  await host.run(async () => {
    const bench = await Bench.open(files(), "one");
    const hints: (string | null)[] = [];
    await bench.watch("", hints);
    await taskGroup((group) => {
      for (const name of ["a", "b", "c"]) group.startSoon(() => log(trace, bench, name));
      group.startSoon(() => replace(trace, bench));
    });
    trace.note(`hints ${hints.join(" ")}`);
    await bench.close();
  });
  host.start(async () => {
    const bench = await Bench.open(files(), "two");
    await bench.change({ kind: "sync-directory", path: ".." });
    for (let round = 0; ; round++) {
      await bench.write(String(round), `unsynced ${round}`.repeat(500));
      await bench.rename(String(round), "state");
    }
  });
  await sleep(50);
  host.crash();
  trace.note(host.files.exists("/tmp/two") ? host.files.list("/tmp/two").join(" ") : "nothing");
  if (!host.files.exists("/tmp/two/state")) return;
  trace.note(String(host.files.read("/tmp/two/state").reduce((sum, byte) => sum + byte, 0)));
}

async function traceOf(seed: number): Promise<Trace> {
  const trace = new Trace();
  await simulate({ seed }, (world) => scenario(world, trace));
  return trace;
}

test("simulated files: a seed gives one course of a disk's life, the same on every runtime", async () => {
  const hashes: string[] = [];
  for (let seed = 0; seed < 10; seed++) hashes.push((await traceOf(seed)).hash);
  assert.deepEqual(hashes, HASHES);
  assert.equal(new Set(hashes).size, 10);
});
