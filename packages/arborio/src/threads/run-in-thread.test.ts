import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../index.ts";
import { assertCheckpoints } from "../testing.ts";
import { moduleAt, runInThread, workerStatistics } from "../threads.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;
const work = moduleAt<typeof workKit>(workKit.url);

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body, { signals: [] }));
}

hostTest("runInThread: what the function returns, or its promise resolves to", async () => {
  assert.equal(await runInThread(work, "add", { args: [1, 2] }), 3);
  assert.equal(await runInThread(work, "later", { args: ["x"] }), "x");
  assert.equal(await runInThread(work, "nothing"), undefined);
  assert.equal(await runInThread(work, "default"), "default");
});

hostTest("runInThread: takes a URL, its string, or a typed handle", async () => {
  assert.equal(await runInThread<number>(work.url, "add", { args: [1, 2] }), 3);
  assert.equal(await runInThread<number>(new URL(work.url), "add", { args: [1, 2] }), 3);
  const inline = "data:text/javascript,export const twice = (n) => 2 * n;";
  assert.equal(await runInThread(inline, "twice", { args: [21] }), 42);
});

hostTest("runInThread: arguments and results are structured clones", async () => {
  const ring: { self?: unknown; readonly map: Map<string, Set<bigint>>; readonly at: Date } = {
    map: new Map([["a", new Set([1n])]]),
    at: new Date(5),
  };
  ring.self = ring;
  const copy = (await runInThread(work, "echo", { args: [ring] })) as typeof ring;
  assert.notEqual(copy, ring);
  assert.equal(copy.self, copy);
  assert.deepEqual(copy.map, ring.map);
  assert.deepEqual(copy.at, ring.at);
});

hostTest("runInThread({ transfer }): buffers change hands, both ways", async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const args = [bytes] as const;
  assert.equal(await runInThread(work, "sumOf", { args, transfer: [bytes.buffer] }), 6);
  assert.equal(bytes.length, 0);
  const zeros = await runInThread(work, "zeros", { args: [1_000_000] });
  assert.equal(zeros.length, 1_000_000);
  assert.equal(workKit.zeros(3).length, 3);
});

hostTest("runInThread: is a checkpoint", async () => {
  await assertCheckpoints(() => runInThread(work, "nothing"));
});

hostTest("runInThread: idle threads are used again, the last one first", async () => {
  const first = await runInThread(work, "countCalls");
  const { started } = workerStatistics("thread");
  for (let i = 1; i <= 20; i++) assert.equal(await runInThread(work, "countCalls"), first + i);
  assert.equal(workerStatistics("thread").started, started);
  assert.equal(workerStatistics("thread").busy, 0);
});

test("runInThread: runs share the threads; outside of runs there are the same", async () => {
  await run(() => runInThread(work, "nothing"));
  const { started } = workerStatistics("thread");
  await run(() => runInThread(work, "nothing"));
  await runInThread(work, "nothing");
  const both = [run(() => runInThread(work, "nothing")), run(() => runInThread(work, "nothing"))];
  await Promise.all(both);
  assert.ok(workerStatistics("thread").started <= started + 1);
});

hostTest("runInThread: several at once", async () => {
  const calls = Array.from({ length: 300 }, (_, i) => runInThread(work, "add", { args: [i, 1] }));
  assert.deepEqual(
    await Promise.all(calls),
    Array.from({ length: 300 }, (_, i) => i + 1),
  );
});

hostTest("runInThread: a thread may use threads of its own", async () => {
  assert.equal(await runInThread(work, "addInThread", { args: [1, 2] }), 3);
});

hostTest("moduleAt: names, arguments and results are typed", async () => {
  const sum: number = await runInThread(work, "add", { args: [1, 2] });
  const text: string = await runInThread(work, "later", { args: ["x"] });
  assert.deepEqual([sum, text], [3, "x"]);
  const never = async (): Promise<void> => {
    // @ts-expect-error there is no such function
    await runInThread(work, "missing");
    // @ts-expect-error this is no function
    await runInThread(work, "constant");
    // @ts-expect-error arguments are missing
    await runInThread(work, "add");
    // @ts-expect-error arguments are missing
    await runInThread(work, "add", {});
    // @ts-expect-error one argument is missing
    await runInThread(work, "add", { args: [1] });
    // @ts-expect-error one argument is of the wrong type
    await runInThread(work, "add", { args: [1, "2"] });
    // @ts-expect-error the result is a number
    const wrong: string = await runInThread(work, "add", { args: [1, 2] });
    // @ts-expect-error without a type of its own, a result is unknown
    const unknown: string = await runInThread(work.url, "later", { args: ["x"] });
    void [wrong, unknown];
  };
  assert.equal(typeof never, "function");
});

hostTest("runInThread: wrong arguments and options are refused", async () => {
  const refused = async (pattern: RegExp, ...args: unknown[]): Promise<void> => {
    const call = runInThread as unknown as (...all: unknown[]) => Promise<unknown>;
    await assert.rejects(call(...args), pattern);
  };
  await refused(/no absolute URL.*import\.meta\.resolve\("\.\/work\.js"\)/, "./work.js", "add");
  await refused(/no absolute URL/, "some-package", "add");
  await refused(/no absolute URL/, "C:\\work.js", "add");
  await refused(/got 5, needs a URL/, 5, "add");
  await refused(/got function add.*a function itself cannot be sent/, work, workKit.add);
  await refused(/needs an object such as/, work, "add", 5);
  await refused(/\{ arg \}\): there is no such option/, work, "add", { arg: [1] });
  await refused(/needs an array of the arguments/, work, "add", { args: 5 });
  await refused(/index 1 cannot be sent: it is a function/, work, "add", { args: [1, () => 2] });
  await refused(/transfer.*needs an array/, work, "add", { transfer: new ArrayBuffer(1) });
  await refused(/transfer.*got an array with 5/, work, "add", { transfer: [5] });
  await refused(/needs true or false/, work, "add", { abandonOnCancel: 1 });
  await refused(/needs a number of milliseconds/, work, "add", { graceMs: "1" });
  await refused(/needs a number of milliseconds/, work, "add", { graceMs: NaN });
  await refused(/needs a CapacityLimiter/, work, "add", { limiter: 5 });
  await refused(/needs an array of classes/, work, "add", { errorClasses: [5] });
});

hostTest(
  "runInThread: a module or function that is not there says so, and the thread lives",
  async () => {
    await runInThread(work, "nothing");
    const { crashed, started } = workerStatistics("thread");
    const missing = new URL("./no-such-module.js", work.url);
    await assert.rejects(runInThread(missing, "add"), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, /no-such-module\.js cannot be loaded/);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    const throwing = "data:text/javascript,throw new RangeError('at load');";
    await assert.rejects(runInThread(throwing, "add"), /cannot be loaded: at load/);
    await assert.rejects(runInThread(work.url, "missing"), {
      name: "TypeError",
      message: /has no export "missing"; its functions are .*add/,
    });
    await assert.rejects(runInThread(work.url, "constant"), /exports no function "constant"/);
    await assert.rejects(runInThread(work.url, "toString"), /has no export "toString"/);
    assert.deepEqual(
      [workerStatistics("thread").crashed, workerStatistics("thread").started],
      [crashed, started],
    );
  },
);

hostTest(
  "runInThread: what cannot be sent is named, and neither thread nor token is lost",
  async () => {
    await runInThread(work, "nothing");
    const before = workerStatistics("thread");
    const deep = { deep: [{ fn(): void {} }] };
    for (let i = 0; i < 50; i++) {
      await assert.rejects(runInThread(work, "echo", { args: [deep] }), {
        name: "TypeError",
        message: /the argument at index 0 cannot be sent: .*structuredClone/,
      });
      await assert.rejects(runInThread(work, "notCloneable"), {
        name: "TypeError",
        message: /notCloneable: its result cannot be sent back/,
      });
    }
    const gone = new ArrayBuffer(1);
    structuredClone(gone, { transfer: [gone] });
    await assert.rejects(
      runInThread(work, "nothing", { transfer: [gone] }),
      /\{ transfer \}\): cannot be transferred/,
    );
    assert.deepEqual(workerStatistics("thread"), before);
    assert.equal(await runInThread(work, "add", { args: [1, 2] }), 3);
  },
);
