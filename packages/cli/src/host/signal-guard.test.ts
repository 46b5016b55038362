import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { guardSignals, type SignalledProcess } from "./signal-guard.ts";

/** A process that cannot be ended, and its exit codes. */
function fakeProcess(): { own: EventEmitter & SignalledProcess; codes: number[] } {
  const codes: number[] = [];
  const exit = (code: number): void => void codes.push(code);
  return { own: Object.assign(new EventEmitter(), { exit }) as never, codes };
}

test("guardSignals: the third signal ends the process; those that come at once are one", async () => {
  const { own, codes } = fakeProcess();
  using _ = guardSignals(() => {}, own);
  for (const signals of [["SIGINT", "SIGINT"], ["SIGTERM"], ["SIGINT", "SIGINT"]]) {
    assert.deepEqual(codes, []);
    for (const signal of signals) own.emit(signal);
    // Longer than the time in which they are one: it runs in real time, as signals come.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.deepEqual(codes, [130]);
});

test("guardSignals: ends with the code of the last signal; disposed of, it counts no more", () => {
  const { own, codes } = fakeProcess();
  {
    using guard = guardSignals(() => assert.fail("it says something"), own);
    guard.exit();
    own.emit("SIGINT");
    guard.exit();
  }
  assert.deepEqual(codes, [143, 130]);
  assert.deepEqual([own.listenerCount("SIGINT"), own.listenerCount("SIGTERM")], [0, 0]);
});
