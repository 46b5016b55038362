/** That calls which block a thread have a limit of time, also if the loop that they wait for does not answer. */
import assert from "node:assert/strict";
import { failAfter, sleep, sleepForever } from "../index.ts";
import { connectPortal, fromThread, moduleAt, runInThread, withPortal } from "../threads.ts";
import type * as FromThreadKit from "./from-thread.test.kit.ts";
import { kitUrl, onHost, test } from "./on-threads.test.kit.ts";
import type { Functions } from "./portal.test.kit.ts";
import type * as PortalKit from "./portal.test.kit.ts";

const portalKit = moduleAt<typeof PortalKit>(kitUrl("portal"));
const fromThreadKit = moduleAt<typeof FromThreadKit>(kitUrl("from-thread"));

/** Longest time that a test blocks its loop, in milliseconds, if what it waits for does not come. */
const BLOCKED_MS_MAX = 10_000;

for (const isBlocked of [false, true]) {
  test(
    `connectPortal({ timeoutMs }): callSync and resultSync end, the portal's loop ${isBlocked ? "is blocked" : "works"}`,
    async (group) => {
      const place = new Int32Array(new SharedArrayBuffer(4));
      const running = { now: 0, inLater: -1 };
      const functions: Functions = {
        add: (a, b) => a + b,
        async later(value) {
          await sleep(5);
          running.inLater = running.now;
          return value;
        },
        fail() {
          throw new Error("not asked for");
        },
        async forever() {
          running.now += 1;
          try {
            await sleepForever();
          } finally {
            running.now -= 1;
          }
        },
        bad: () => undefined,
      };
      await withPortal(functions, async (portal) => {
        const handle = portal.handle();
        const call = group.startSoon(() =>
          runInThread(portalKit, "late", { args: [handle, place], transfer: [handle] }),
        );
        if (isBlocked) {
          while (Atomics.load(place, 0) === 0) await sleep(1);
          const end = performance.now() + BLOCKED_MS_MAX;
          while (Atomics.load(place, 0) !== 2 && performance.now() < end);
          assert.equal(Atomics.load(place, 0), 2);
        }
        assert.deepEqual(await failAfter(BLOCKED_MS_MAX, () => call.result()), [
          "TimeoutError",
          "TimeoutError",
          "x",
        ]);
        // The one that was called is cancelled, the one that was started goes on.
        assert.equal(running.inLater, 1);
        group.cancel();
      });
    },
    onHost,
  );
}

test(
  "fromThread.of({ timeoutMs }): runSync ends, and its callback is cancelled",
  async () => {
    let isCancelled = false;
    const callbacks = {
      async forever() {
        try {
          await sleepForever();
        } finally {
          isCancelled = true;
        }
      },
    };
    const name = await runInThread(fromThreadKit, "waitSyncLimited", { args: [5], callbacks });
    assert.equal(name, "TimeoutError");
    assert.ok(isCancelled);
  },
  onHost,
);

test("connectPortal, fromThread.of: wrong options are refused, and the handle is as it was", async () => {
  await withPortal({}, async (portal) => {
    const handle = portal.handle();
    for (const [where, give] of [
      ["connectPortal", (options: never) => connectPortal(handle, options)],
      ["fromThread.of", (options: never) => fromThread.of(options)],
    ] as const) {
      for (const [options, name, message] of [
        [{ timeout: 1 }, "TypeError", "({ timeout }): there is no such option; there are"],
        [{ timeoutMs: NaN }, "RangeError", "({ timeoutMs }): got NaN"],
        [{ timeoutMs: "1" }, "TypeError", '({ timeoutMs }): got "1"'],
        [{ errorClasses: [Date] }, "TypeError", "({ errorClasses }): got "],
        [null, "TypeError", ": got null"],
      ] as const) {
        assert.throws(
          () => give(options as never),
          (error: Error) => error.name === name && error.message.startsWith(where + message),
          `${where} ${message}`,
        );
      }
    }
    connectPortal(handle).close();
    await portal.untilReleased();
  });
});
