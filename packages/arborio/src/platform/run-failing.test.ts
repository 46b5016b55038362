import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import {
  CancelScope,
  checkpoint,
  ExceptionGroup,
  run,
  type RunOptions,
  sleep,
  sleepForever,
} from "../index.ts";
import { startSystemTask, suspend } from "../lowlevel.ts";
import { simulator } from "../sim.ts";
import { hostBackend } from "./host.ts";

// How `run` ends when more than one thing goes wrong.

const backends: Readonly<Record<string, () => RunOptions>> = {
  [hostBackend.name]: () => ({ signals: [] }),
  simulator: () => ({ signals: [], backend: simulator({ seed: 3 }) }),
};

/** What a promise rejects with; not `assert.rejects`, which on Deno compares prototypes. */
async function errorOf(promise: PromiseLike<unknown>): Promise<unknown> {
  const outcome = await Promise.allSettled([promise]);
  assert.equal(outcome[0].status, "rejected");
  return outcome[0].reason;
}

const isNode = hostBackend.name === "node";
const UNHANDLED =
  "onUnhandled: what it throws does not come out in the middle of what it is told of (§9)";
const RUNNER_SEES_FIRST = "its test runner sees unhandled rejections before the program";
if (!isNode) console.log(`# skip ${UNHANDLED}: ${RUNNER_SEES_FIRST}`);

for (const [name, options] of Object.entries(backends)) {
  describe(`run on ${name}, failing`, () => {
    test("startSystemTask: failing when main has failed, it does not hide main's error (§9)", async () => {
      const main = new Error("main");
      const error = await errorOf(
        run(async () => {
          startSystemTask(async () => {
            await errorOf(sleepForever());
            throw new RangeError("system");
          });
          await checkpoint();
          throw main;
        }, options()),
      );
      assert.ok(error instanceof ExceptionGroup);
      assert.equal(error.errors[0], main);
      assert.ok(error.errors[1] instanceof RangeError);
    });

    test(UNHANDLED, { skip: isNode ? false : RUNNER_SEES_FIRST }, async () => {
      const scope = new CancelScope();
      const failing = (): never => {
        throw new Error("of an abort function");
      };
      const onUnhandled = (): never => {
        throw scope.own; // a Cancelled, since that may go unhandled
      };
      await run(
        () =>
          scope.run(async () => {
            const waits = [suspend({ kind: "test" }, () => failing), sleepForever()];
            scope.cancel();
            await Promise.all(waits);
          }),
        { ...options(), onUnhandled },
      );
      assert.ok(scope.cancelledCaught);
    });

    test("run: a flow that has outlived its run may start the next one (§9)", async () => {
      let second: Promise<string> | undefined;
      const over = Promise.withResolvers<void>();
      await run(() => {
        second = over.promise.then(() => run(() => "second", options()));
      }, options());
      over.resolve();
      assert.equal(await second, "second");
    });
  });
}

test("run: any number side by side, without a warning of leaking listeners, which the last one takes away (§9)", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  const listeners = process.listenerCount("SIGINT");
  await Promise.all(Array.from({ length: 20 }, () => run(() => sleep(1))));
  await sleep(1);
  process.removeListener("warning", note);
  assert.deepEqual(warnings, []);
  assert.equal(process.listenerCount("SIGINT"), listeners);
});

test("run: refuses a signal that nobody can handle, and leaves nothing behind that keeps the process alive (§9)", async () => {
  const listeners = process.listenerCount("SIGUSR2");
  const resources = hostBackend.name === "node" ? process.getActiveResourcesInfo() : [];
  const error = await errorOf(run(() => {}, { signals: ["SIGUSR2", "SIGKILL"] }));
  assert.match((error as Error).message, /signals.*SIGKILL/);
  assert.equal(process.listenerCount("SIGUSR2"), listeners);
  if (hostBackend.name === "node") assert.deepEqual(process.getActiveResourcesInfo(), resources);
});
