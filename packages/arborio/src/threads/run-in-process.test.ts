import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import process from "node:process";
import { CapacityLimiter, run, taskGroup, TimeoutError } from "../index.ts";
import { assertCheckpoints } from "../testing.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import { currentDefaultProcessLimiter, runInProcess, workerStatistics } from "../threads.ts";
import { assertNothingHeld, hostTest, processWork, work } from "./process-calls.test.kit.ts";
import * as workKit from "./work.test.kit.ts";

const isBun = process.versions["bun"] !== undefined;

hostTest("runInProcess: what the function returns, from another process", async () => {
  assert.equal(await runInProcess(work, "add", { args: [1, 2] }), 3);
  assert.equal(await runInProcess(work, "later", { args: ["x"] }), "x");
  assert.equal(await runInProcess(work, "nothing"), undefined);
  const self = await runInProcess(processWork, "whoAmI");
  assert.notEqual(self.pid, process.pid);
  assert.deepEqual(self, {
    pid: self.pid,
    parent: process.pid,
    group: self.pid, // it leads its own
    args: [],
    input: "",
  });
  assert.equal((await runInProcess(processWork, "whoAmI")).pid, self.pid);
});

hostTest("runInProcess: arguments and results are structured clones", async () => {
  const ring: { self?: unknown; readonly map: Map<string, Set<bigint>>; readonly at: Date } = {
    map: new Map([["a", new Set([1n])]]),
    at: new Date(5),
  };
  ring.self = ring;
  const copy = (await runInProcess(work, "echo", { args: [ring] })) as typeof ring;
  assert.equal(copy.self, copy);
  assert.deepEqual([copy.map, copy.at], [ring.map, ring.at]);
  const sparse: number[] = [];
  sparse[2] = 3;
  const plain = [undefined, null, -0, 5n, "ä\ud800", sparse, new Float64Array([0.5]), /x/g];
  assert.deepEqual(await runInProcess(work, "echo", { args: [plain] }), plain);
  const buffer = new ArrayBuffer(8);
  const views = [new Uint8Array(buffer, 0, 4), new Uint8Array(buffer, 4)];
  assert.equal(await runInProcess(processWork, "sharesMemory", { args: [views] }), true);
});

hostTest("runInProcess: 100 MB there and back", async () => {
  const bytes = new Uint8Array(50_000_000);
  bytes[0] = 1;
  bytes[bytes.length - 1] = 2;
  const reversed = await runInProcess(processWork, "reverse", { args: [bytes] });
  assert.deepEqual([reversed.length, reversed[0], reversed.at(-1)], [bytes.length, 2, 1]);
});

hostTest("runInProcess: errors keep their class", async () => {
  const failing = (kind: Parameters<typeof workKit.fail>[0]): Promise<unknown> =>
    runInProcess(work, "fail", { args: [kind], errorClasses: [workKit.WorkError] });
  await assert.rejects(failing("language"), (error) => {
    assert.ok(error instanceof RangeError && error.cause instanceof TypeError);
    assert.match(error.stack ?? "", /at runInProcess \(fail of .*, in a worker\)/);
    return true;
  });
  await assert.rejects(failing("library"), TimeoutError);
  await assert.rejects(failing("own"), (error) => {
    assert.ok(error instanceof workKit.WorkError);
    assert.deepEqual(error.detail, { at: 7 });
    return true;
  });
});

hostTest("runInProcess: what cannot be sent costs neither process nor token", async () => {
  await runInProcess(work, "nothing");
  const { started } = workerStatistics("process");
  for (const arg of [{ fn(): void {} }, Promise.resolve(), new WeakMap()]) {
    await assert.rejects(runInProcess(work, "echo", { args: [arg] }), {
      name: "TypeError",
      message: /^runInProcess\(\{ args \}\): the argument at index 0 cannot be sent: /,
    });
  }
  await assert.rejects(runInProcess(work, "notCloneable"), {
    name: "TypeError",
    message: /notCloneable: its result cannot be sent back/,
  });
  await assert.rejects(
    runInProcess(work.url, "echo", { transfer: [new ArrayBuffer(1)] } as never),
    /runInProcess\(\{ transfer \}\): there is no such option; .* processes share no memory/,
  );
  await assert.rejects(runInProcess(work.url, "missing"), /has no export "missing"/);
  await assert.rejects(runInProcess("file:///no-such.js", "fn"), /cannot be loaded/);
  assert.equal(await runInProcess(work, "add", { args: [1, 2] }), 3);
  assert.equal(workerStatistics("process").started, started);
});

testIf(!isBun, "Bun copies shared memory")("runInProcess: shared memory cannot be sent", () =>
  run(async () => {
    await assert.rejects(
      runInProcess(work, "echo", { args: [new SharedArrayBuffer(1)] }),
      /an argument cannot be sent: .*SharedArrayBuffer.*without shared memory/,
    );
    assertNothingHeld();
  }),
);

hostTest("runInProcess: is a checkpoint", async () => {
  await assertCheckpoints(() => runInProcess(work, "nothing"));
});

hostTest("runInProcess: a limiter says how many processes there are", async () => {
  assert.equal(currentDefaultProcessLimiter().totalTokens, availableParallelism());
  const limiter = new CapacityLimiter(2);
  const pids = new Set<number>();
  await taskGroup((group) => {
    for (let call = 0; call < 20; call++)
      group.startSoon(async () => {
        pids.add(await runInProcess(processWork, "pidOf", { limiter }));
      });
  });
  assert.ok(pids.size <= 2, [...pids].join());
});

hostTest("runInProcess: a process can have processes of its own", async () => {
  const inner = await runInProcess(processWork, "nested");
  const outer = await runInProcess(processWork, "pidOf");
  assert.notEqual(inner, outer);
});
