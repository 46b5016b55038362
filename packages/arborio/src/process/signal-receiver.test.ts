import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import {
  BusyResourceError,
  ClosedResourceError,
  InterruptedError,
  NotSupportedError,
  run,
  sleep,
  sleepForever,
  taskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import { openSignalReceiver } from "../process.ts";
import { hostBackend } from "../platform/host.ts";
import type { Signals } from "../platform/signals.ts";
import type { Backend } from "../lowlevel.ts";
import { simulator } from "../sim.ts";
import { assertCheckpoints, cancelEverywhere } from "../testing.ts";

/** Signals that come when a test says so. */
class FakeSignals implements Signals {
  readonly listeners = new Map<(name: string) => void, readonly string[]>();

  listen(names: readonly string[], received: (name: string) => void): () => void {
    if (names.includes("SIGKILL")) throw new RangeError('got "SIGKILL"');
    const one = (name: string): void => received(name);
    this.listeners.set(one, names);
    return () => void this.listeners.delete(one);
  }

  raise(name: string): void {
    for (const [received, names] of this.listeners) if (names.includes(name)) received(name);
  }

  numberOf(name: string): number {
    return name.length;
  }
}

function simulatedTest(title: string, body: (signals: FakeSignals) => unknown): void {
  test(title, async () => {
    const signals = new FakeSignals();
    const backend = { ...simulator().createBackend(), signals };
    await run(() => body(signals), { backend, signals: [] });
    assert.equal(signals.listeners.size, 0, "somebody still listens");
  });
}

simulatedTest(
  "openSignalReceiver: equal signals count once, different ones come in order",
  async (signals) => {
    using receiver = openSignalReceiver(["SIGHUP", "SIGTERM", "SIGINT", "SIGHUP"]);
    for (const name of ["SIGTERM", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGHUP", "SIGINT"])
      signals.raise(name);
    assert.equal(await receiver.receive(), "SIGTERM");
    signals.raise("SIGTERM");
    const rest: string[] = [];
    for await (const name of receiver) {
      rest.push(name);
      if (rest.length === 3) break;
    }
    assert.deepEqual(rest, ["SIGHUP", "SIGINT", "SIGTERM"]);
    const waiting = receiver.receive();
    await waitAllTasksBlocked();
    signals.raise("SIGHUP");
    signals.raise("SIGHUP");
    assert.deepEqual([await waiting, await receiver.receive()], ["SIGHUP", "SIGHUP"]);
  },
);

simulatedTest(
  "SignalReceiver.receive: is a checkpoint; cancelled, it lost no signal",
  async (signals) => {
    using ready = openSignalReceiver(["SIGHUP"]);
    signals.raise("SIGHUP");
    await assertCheckpoints(() => ready.receive());
    signals.raise("SIGHUP");
    await assertCheckpoints(() => ready[Symbol.asyncIterator]().next());
    const { rounds } = await cancelEverywhere(async () => {
      const receiver = openSignalReceiver(["SIGHUP", "SIGINT"]);
      const raised = ["SIGHUP"];
      const received: string[] = [];
      signals.raise("SIGHUP");
      try {
        received.push(await receiver.receive());
        await taskGroup(async (group) => {
          group.startSoon(async () => {
            await sleep(1);
            raised.push("SIGINT");
            signals.raise("SIGINT");
          });
          for await (const name of receiver) {
            received.push(name);
            break;
          }
        });
      } finally {
        // What nobody received comes anew when the receiver closes.
        const stop = signals.listen(["SIGHUP", "SIGINT"], (name) => received.push(name));
        receiver.close();
        stop();
        assert.deepEqual(received, raised);
      }
    });
    assert.ok(rounds.entry >= 3 && rounds.waiting >= 2 && rounds.woken >= 2);
  },
);

simulatedTest(
  "SignalReceiver: one task at a time, and ClosedResourceError after close, also while waiting",
  async () => {
    const receiver = openSignalReceiver(["SIGHUP"]);
    const waiting = receiver.receive();
    await assert.rejects(receiver.receive(), BusyResourceError);
    await assert.rejects(receiver[Symbol.asyncIterator]().next(), BusyResourceError);
    const closed = assert.rejects(waiting, ClosedResourceError);
    receiver.close();
    receiver.close();
    await closed;
    await assert.rejects(receiver.receive(), ClosedResourceError);
    await using again = openSignalReceiver(["SIGHUP"]);
    assert.deepEqual([...again.names], ["SIGHUP"]);
  },
);

simulatedTest("openSignalReceiver: two receivers both get a signal", async (signals) => {
  using first = openSignalReceiver(["SIGHUP"]);
  using second = openSignalReceiver(["SIGHUP", "SIGINT"]);
  signals.raise("SIGHUP");
  assert.deepEqual([await first.receive(), await second.receive()], ["SIGHUP", "SIGHUP"]);
});

test("run: a signal goes to the receiver alone while one is open in the run, to the run after that", async () => {
  const signals = new FakeSignals();
  const backend = { ...hostBackend, signals };
  const seen: string[] = [];
  const other = run(() => sleepForever(), { backend, name: "the other run", signals: ["SIGTERM"] });
  const otherEnds = assert.rejects(other, InterruptedError);
  await assert.rejects(
    run(
      async () => {
        const [first, second] = [openSignalReceiver(["SIGTERM"]), openSignalReceiver(["SIGTERM"])];
        signals.raise("SIGTERM");
        seen.push(await first.receive(), await second.receive());
        first.close();
        signals.raise("SIGTERM");
        seen.push(await second.receive());
        second.close();
        seen.push("closed");
        signals.raise("SIGTERM");
        await sleepForever();
      },
      { backend, signals: ["SIGTERM", "SIGINT"] },
    ),
    (error) => error instanceof InterruptedError && error.signal === "SIGTERM",
  );
  assert.deepEqual(seen, ["SIGTERM", "SIGTERM", "SIGTERM", "closed"]);
  await otherEnds;
  assert.equal(signals.listeners.size, 0);
});

test("SignalReceiver.close: a signal that nobody received ends the run after all", async () => {
  const signals = new FakeSignals();
  const backend = { ...simulator().createBackend(), signals };
  await assert.rejects(
    run(
      async () => {
        const receiver = openSignalReceiver(["SIGTERM"]);
        signals.raise("SIGTERM");
        await sleep(1);
        receiver.close();
        await sleepForever();
      },
      { backend, signals: ["SIGTERM"] },
    ),
    InterruptedError,
  );
});

test("openSignalReceiver: says what is wrong with the names", async () => {
  const open =
    (names: unknown): (() => unknown) =>
    () =>
      openSignalReceiver(names as string[]);
  for (const wrong of ["SIGTERM", [1], null, undefined]) assert.throws(open(wrong), TypeError);
  assert.throws(open([]), /no names, needs at least one/);
  for (const name of [
    "SIGKILL",
    "SIGSTOP",
    "SIGSEGV",
    "SIGFOO",
    "SIGTERMINATE",
    "toString",
    "exit",
  ])
    assert.throws(
      open(["SIGHUP", name]),
      (error) =>
        error instanceof RangeError && error.message.includes(`openSignalReceiver: got "${name}"`),
    );
  assert.equal(process.listenerCount("SIGHUP"), 0);
  await assert.rejects(
    run(() => {}, { signals: ["SIGKILL"] }),
    /run\(\{ signals \}\): got "SIGKILL", which no program can handle; needs/,
  );
  await run(() => assert.throws(open(["SIGTERM"]), NotSupportedError), {
    backend: { ...simulator().createBackend(), signals: undefined } as unknown as Backend,
  });
});

test("openSignalReceiver: gets the system's signals, and leaves no listener", async () => {
  const before = process.listenerCount("SIGWINCH");
  await run(
    async () => {
      using receiver = openSignalReceiver(["SIGWINCH", "SIGHUP"]);
      process.kill(process.pid, "SIGWINCH");
      assert.equal(await receiver.receive(), "SIGWINCH");
      process.kill(process.pid, "SIGHUP");
      for await (const name of receiver) {
        assert.equal(name, "SIGHUP");
        break;
      }
    },
    { signals: [] },
  );
  assert.equal(process.listenerCount("SIGWINCH"), before);
  assert.equal(hostBackend.signals?.numberOf("SIGTERM"), 15);
  assert.equal(hostBackend.signals?.numberOf("SIGNOTHING"), 0);
});
