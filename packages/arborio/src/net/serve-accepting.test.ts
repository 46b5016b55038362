import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { SystemError } from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import { hostBackend } from "../platform/host.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { now, sleep } from "../sync/timeouts.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { FakeNetwork, fakeError } from "./fake-network.test.kit.ts";
import { listenTcp } from "./listen-tcp.ts";
import type { Listener } from "./listener.ts";

const test = onEveryBackend(runnerTest);
const scripted = {
  skip: { backend: "host", reason: "the network is a script in virtual time" },
} as const;

/** A listener on a network where connections come when the test says so. */
async function listenOnFake(): Promise<{ network: FakeNetwork; listener: Listener }> {
  const network = new FakeNetwork({ listen: () => 7 });
  setBackend(ambientScope(), { ...currentBackend(), network });
  return { network, listener: await listenTcp(0) };
}

runnerTest(
  "Listener.serve: without onError, of errors of accepting the run warns, once for each kind; nobody's server ends",
  async () => {
    const warnings: string[] = [];
    const unhandled: unknown[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const backend = {
      ...simulator().createBackend(),
      process: { ...hostBackend.process, warn } as never,
    };
    const main = async (): Promise<void> => {
      const { network, listener } = await listenOnFake();
      network.acceptor?.failed(fakeError("accept", "EMFILE"));
      let handled = 0;
      const serving = listener.serve(() => (handled += 1));
      for (const code of ["EMFILE", "ENFILE", "EMFILE"]) {
        network.acceptor?.failed(fakeError("accept", code));
        network.arrive(code);
        await sleep(1);
      }
      listener.close();
      await serving;
      assert.equal(handled, 3);
    };
    await run(main, { backend, signals: [], onUnhandled: (error) => unhandled.push(error) });
    assert.deepEqual(unhandled, []);
    assert.equal(warnings.length, 2, warnings.join("\n"));
    assert.match(warnings[0] ?? "", /^arborio: Listener\.serve: .*EMFILE.*onError/);
    assert.match(warnings[1] ?? "", /ENFILE/);
  },
);

test(
  "Listener.serve: an onError that closes the listener ends it, also for an error from before",
  async (group) => {
    for (const isBefore of [true, false]) {
      const { network, listener } = await listenOnFake();
      if (isBefore) network.acceptor?.failed(fakeError("accept", "EMFILE"));
      const serving = group.startSoon(() =>
        listener.serve(() => {}, { onError: () => listener.close() }),
      );
      await sleep(1);
      if (!isBefore) network.acceptor?.failed(fakeError("accept", "EMFILE"));
      await sleep(1);
      assert.equal(serving.status, "finished");
    }
  },
  scripted,
);

test(
  "Listener.serve: connections that had come when a shutdown asked are handled, as many as maxConnections allows",
  async (group) => {
    const { network, listener } = await listenOnFake();
    const server = new CancelScope();
    let handled = 0;
    let finished = 0;
    const handler = async (): Promise<void> => {
      handled += 1;
      await sleep(5);
      finished += 1;
    };
    group.startSoon(() => server.run(() => listener.serve(handler, { maxConnections: 30 })));
    await sleep(1);
    for (let client = 0; client < 40; client++) network.arrive(String(client));
    server.shutdown({ graceMs: 100 });
    await sleep(1);
    assert.equal(handled, 30);
    await sleep(10);
    assert.equal(finished, 30);
    assert.equal(listener.statistics().connectionsWaiting, 0);
  },
  scripted,
);

test(
  "Listener.serve: a shutdown without grace handles none of those that waited",
  async (group) => {
    const { network, listener } = await listenOnFake();
    const server = new CancelScope();
    let finished = 0;
    const handler = async (): Promise<void> => {
      await sleep(5);
      finished += 1;
    };
    group.startSoon(() => server.run(() => listener.serve(handler)));
    await sleep(1);
    for (let client = 0; client < 40; client++) network.arrive(String(client));
    server.shutdown();
    await sleep(20);
    assert.equal(finished, 0);
    assert.equal(listener.statistics().connectionsWaiting, 0);
  },
  scripted,
);

test(
  "Listener.serve: what onError throws for an error of accepting is not lost if a cancellation comes with it",
  async () => {
    for (const withGroup of [true, false]) {
      const { network, listener } = await listenOnFake();
      const scope = new CancelScope();
      const onError = (error: unknown): never => {
        throw error;
      };
      await assert.rejects(
        taskGroup(async (group) => {
          const options = withGroup ? { group, onError } : { onError };
          group.startSoon(() => scope.run(() => listener.serve(() => {}, options)));
          await sleep(1);
          scope.cancel();
          network.acceptor?.failed(fakeError("accept", "EMFILE"));
        }),
        (error) => error instanceof ExceptionGroup && error.leaves()[0] instanceof SystemError,
      );
      assert.equal(scope.cancelledCaught, true);
      listener.close();
    }
  },
  scripted,
);

for (const how of ["closed", "shut down"]) {
  test(
    `Listener.serve: ${how}, it gives up handshakes that do not go on, and handles those that do`,
    async () => {
      const network = new FakeNetwork({ listen: () => 7 });
      const tls = {
        prepare: () => {},
        wrap: (wire: never): never => Object.assign(wire, { securing: true }),
      };
      setBackend(ambientScope(), { ...currentBackend(), network, tls });
      const listener = await listenTcp(0, {
        tls: { identity: { certificate: "", privateKey: "" } },
      });
      const server = new CancelScope();
      const handled: number[] = [];
      const errors: unknown[] = [];
      const onError = (error: unknown): void => void errors.push(error);
      const before = now();
      await taskGroup(async (group) => {
        const handler = (): void => void handled.push(now() - before);
        group.startSoon(() => server.run(() => listener.serve(handler, { onError })));
        await sleep(1);
        network.arrive("silent");
        const slow = network.arrive("slow");
        await sleep(99);
        // Its task is only about to start.
        network.arrive("last");
        if (how === "closed") listener.close();
        else server.shutdown({ graceMs: 60_000 });
        await sleep(900);
        slow.securing = false;
        slow.receiver?.secured?.();
      });
      assert.deepEqual(handled, [1000]);
      assert.equal(now() - before, 1100);
      assert.deepEqual(errors, []);
      assert.equal(listener.statistics().connectionsBroken, 0);
      assert.deepEqual([...network.open], []);
    },
    scripted,
  );
}
