import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import {
  BrokenResourceError,
  EndOfStream,
  StrayCancelledError,
  SystemError,
  TimeoutError,
  TlsError,
} from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { shielded } from "../sync/shield.ts";
import { failAfter, sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { FakeNetwork, fakeError } from "./fake-network.test.kit.ts";
import { listenTcp } from "./listen-tcp.ts";
import type { Listener } from "./listener.ts";
import type { ConnectionHandler } from "./serve.ts";
import type { SocketStream } from "./socket-stream.ts";

const test = onEveryBackend(runnerTest);
const scripted = {
  skip: { backend: "host", reason: "the network is a script in virtual time" },
} as const;

function connect(listener: Listener): Promise<SocketStream> {
  return connectTcp("127.0.0.1", listener.port);
}

async function end(stream: SocketStream): Promise<void> {
  await assert.rejects(stream.receive(), EndOfStream);
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(1);
}

async function echo(stream: SocketStream): Promise<void> {
  for await (const chunk of stream) await stream.send(chunk);
}

async function failInCleanup(message: string): Promise<void> {
  try {
    await sleepForever();
  } catch {
    throw new Error(message);
  }
}

/** Serves one client that resets its connection; what `onError` and `onUnhandled` got. */
async function serveReset(
  handler: ConnectionHandler,
  withOnError: boolean,
  isSimulated: boolean,
): Promise<{ onError: unknown[]; onUnhandled: unknown[]; broken: number }> {
  const onError: unknown[] = [];
  const onUnhandled: unknown[] = [];
  let broken = 0;
  const main = async (): Promise<void> => {
    await taskGroup(async (group) => {
      using listener = await listenTcp(0, { host: "127.0.0.1" });
      let handled = false;
      const serving = async (stream: SocketStream): Promise<void> => {
        try {
          await handler(stream);
        } finally {
          handled = true;
        }
      };
      const options = withOnError ? { onError: (error: unknown) => onError.push(error) } : {};
      const service = group.startSoon(() => listener.serve(serving, options));
      const client = await connect(listener);
      await client.send(new Uint8Array([1]));
      client.wire.close(true);
      await until(() => handled && listener.statistics().connectionsHandled === 0);
      broken = listener.statistics().connectionsBroken;
      service.cancel();
    });
  };
  await run(main, {
    signals: [],
    onUnhandled: (error) => onUnhandled.push(error),
    ...(isSimulated ? { backend: simulator({ seed: 3 }) } : {}),
  });
  return { onError, onUnhandled, broken };
}

for (const where of ["the host", "the simulator"]) {
  const isSimulated = where === "the simulator";

  runnerTest(
    `Listener.serve: a client that breaks its connection ends no server, without onError too [${where}]`,
    async () => {
      const handlers: ConnectionHandler[] = [
        echo,
        async (stream) => {
          // In a task of its own, and wrapped: it is still the connection that broke.
          await taskGroup((group) => void group.startSoon(() => echo(stream)));
        },
        async (stream) => {
          await echo(stream).catch((error: unknown) => {
            throw new Error("no answer", { cause: error });
          });
        },
      ];
      for (const handler of handlers) {
        const silent = await serveReset(handler, false, isSimulated);
        assert.deepEqual(silent, { onError: [], onUnhandled: [], broken: 1 });
        const told = await serveReset(handler, true, isSimulated);
        assert.deepEqual([told.onError.length, told.onUnhandled.length, told.broken], [1, 0, 1]);
      }
      const { onError } = await serveReset(echo, true, isSimulated);
      assert.ok(onError[0] instanceof BrokenResourceError, String(onError[0]));
    },
  );

  runnerTest(
    `Listener.serve: without onError, all other errors are the run's unhandled ones [${where}]`,
    async () => {
      const error = new RangeError("a mistake");
      const foreign = new BrokenResourceError("another connection broke");
      const cases: [ConnectionHandler, (reported: unknown) => boolean][] = [
        [() => Promise.reject(error), (reported) => reported === error],
        [
          (): void => {
            throw error;
          },
          (reported) => reported === error,
        ],
        [() => Promise.reject(foreign), (reported) => reported === foreign],
        [
          // A broken connection, and something else.
          (stream) =>
            Promise.all([echo(stream), sleep(50)]).catch((one: unknown) => {
              throw new ExceptionGroup([one, error]);
            }),
          (reported) => reported instanceof ExceptionGroup,
        ],
      ];
      for (const [handler, isExpected] of cases) {
        const { onUnhandled, broken } = await serveReset(handler, false, isSimulated);
        assert.equal(onUnhandled.length, 1);
        assert.ok(isExpected(onUnhandled[0]), String(onUnhandled[0]));
        assert.equal(broken, 0);
      }
    },
  );
}

test("Listener.serve: a handler's error goes to onError and ends neither the listener nor other handlers", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const errors: unknown[] = [];
  const handler: ConnectionHandler = async (stream) => {
    const [kind] = await stream.receive();
    if (kind === 0) throw new RangeError("a mistake");
    await stream.send(new Uint8Array([2]));
    await echo(stream);
  };
  group.startSoon(() => listener.serve(handler, { onError: (error) => errors.push(error) }), {
    daemon: true,
  });
  using other = await connect(listener);
  await other.send(new Uint8Array([1]));
  await other.receive();
  for (let count = 0; count < 3; count++) {
    using client = await connect(listener);
    await client.send(new Uint8Array([0]));
    await end(client);
  }
  assert.deepEqual(errors.map(String), Array(3).fill("RangeError: a mistake"));
  await other.send(new Uint8Array([7]));
  assert.deepEqual([...(await other.receive())], [7]);
});

test("Listener.serve: a Cancelled that nothing explains is reported as a stray one", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  let stored: unknown;
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(() => checkpoint().catch((error: unknown) => (stored = error)));
  const errors: unknown[] = [];
  group.startSoon(
    () => listener.serve(() => Promise.reject(stored), { onError: (error) => errors.push(error) }),
    { daemon: true },
  );
  for (let count = 1; count <= 2; count++) {
    using client = await connect(listener);
    await end(client);
    assert.equal(errors.length, count);
  }
  assert.ok(errors[0] instanceof StrayCancelledError && errors[0].cause === stored);
});

test("Listener.serve: cancelled, real errors of a handler's cleanup are reported, and the cancellation goes on", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const errors: unknown[] = [];
  const cases: [() => Promise<unknown>, string][] = [
    [() => sleepForever(), ""],
    [() => failInCleanup("in cleanup"), "in cleanup"],
    [
      () =>
        taskGroup((group) => {
          group.startSoon(() => sleepForever());
          group.startSoon(() => failInCleanup("in a child"));
        }),
      "in a child",
    ],
  ];
  for (const [work, message] of cases) {
    errors.length = 0;
    const server = new CancelScope();
    await taskGroup(async (group) => {
      group.startSoon(() =>
        server.run(() => listener.serve(work, { onError: (error) => errors.push(error) })),
      );
      using client = await connect(listener);
      await until(() => listener.statistics().connectionsHandled === 1);
      server.cancel();
      await end(client);
    });
    assert.ok(server.cancelledCaught);
    assert.equal(errors.length, message === "" ? 0 : 1);
    if (errors[0] instanceof ExceptionGroup)
      assert.deepEqual(
        errors[0].leaves().map((leaf) => (leaf as Error).message),
        [message],
      );
    else if (message !== "") assert.equal((errors[0] as Error).message, message);
  }
});

test("Listener.serve: what onError throws ends it, and cancels the other handlers", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const fatal = (error: unknown): never => {
    throw error;
  };
  const serving = group.startSoon(async () => {
    await assert.rejects(listener.serve(failing, { onError: fatal }), (error) => {
      assert.ok(error instanceof ExceptionGroup);
      assert.deepEqual(error.leaves().map(String), ["RangeError: a mistake"]);
      return true;
    });
  });
  const failing: ConnectionHandler = async (stream) => {
    if ((await stream.receive())[0] === 0) throw new RangeError("a mistake");
    await sleepForever();
  };
  using other = await connect(listener);
  await other.send(new Uint8Array([1]));
  await until(() => listener.statistics().connectionsHandled === 1);
  using client = await connect(listener);
  await client.send(new Uint8Array([0]));
  await end(client);
  await end(other);
  await serving.wait();
});

/** A listener on a network where connections come when the test says so. */
async function listenOnFake(): Promise<{ network: FakeNetwork; listener: Listener }> {
  const network = new FakeNetwork({ listen: () => 7 });
  setBackend(ambientScope(), { ...currentBackend(), network });
  return { network, listener: await listenTcp(0) };
}

test(
  "Listener.serve: errors of accepting go to onError, also those from before; serving goes on",
  async (group) => {
    const { network, listener } = await listenOnFake();
    network.acceptor?.failed(fakeError("accept", "ENFILE"));
    const errors: unknown[] = [];
    let handled = 0;
    const serving = group.startSoon(() =>
      listener.serve(() => (handled += 1), {
        onError: (error) => errors.push((error as SystemError).systemCode),
      }),
    );
    await sleep(1);
    network.acceptor?.failed(fakeError("accept", "EMFILE"));
    network.arrive("a");
    await sleep(1);
    assert.deepEqual([errors, handled], [["ENFILE", "EMFILE"], 1]);
    listener.close();
    await serving.result();
  },
  scripted,
);

test(
  "Listener.serve: what onError throws for an error of accepting ends it, and not the runtime",
  async (group) => {
    for (const isBefore of [true, false]) {
      const { network, listener } = await listenOnFake();
      if (isBefore) network.acceptor?.failed(fakeError("accept", "EMFILE"));
      const serving = group.startSoon(async () => {
        await assert.rejects(
          listener.serve(echo, {
            onError: (error) => {
              throw error;
            },
          }),
          (error) => error instanceof ExceptionGroup && error.leaves()[0] instanceof SystemError,
        );
      });
      await sleep(1);
      if (!isBefore) network.acceptor?.failed(fakeError("accept", "EMFILE"));
      await serving.result();
      listener.close();
    }
  },
  scripted,
);

test(
  "Listener.serve: a handshake that fails or takes too long is the connection's failure, and the handler is not called",
  async (group) => {
    for (const isSlow of [false, true]) {
      const network = new FakeNetwork({ listen: () => 7 });
      const tls = {
        prepare: () => {},
        wrap: (wire: never): never => Object.assign(wire, { securing: true }),
      };
      setBackend(ambientScope(), { ...currentBackend(), network, tls });
      const identity = { certificate: "", privateKey: "" };
      const listener = await listenTcp(0, { tls: { identity, handshakeTimeoutMs: 100 } });
      const errors: unknown[] = [];
      const serving = group.startSoon(() =>
        listener.serve(() => assert.fail("called"), { onError: (error) => errors.push(error) }),
      );
      const wire = network.arrive("a");
      await sleep(10);
      if (!isSlow) wire.receiver?.failed(new TlsError("TLS: no", "protocol"));
      await failAfter(200, () => until(() => errors.length === 1));
      assert.ok(
        isSlow ? errors[0] instanceof TimeoutError : errors[0] instanceof TlsError,
        String(errors[0]),
      );
      assert.equal(listener.statistics().connectionsBroken, 1);
      listener.close();
      await serving.result();
      assert.deepEqual([...network.open], []);
    }
  },
  scripted,
);

test(
  "Listener.serve: cancelled at every checkpoint, every connection is closed or still waits",
  async () => {
    await cancelEverywhere(async (round) => {
      const { network, listener } = await listenOnFake();
      round.after(() => {
        assert.equal(listener.statistics().connectionsHandled, 0);
        listener.close();
        assert.deepEqual([...network.open], []);
      });
      await taskGroup(async (group) => {
        const serving = group.startSoon(() =>
          listener.serve(() => shielded(() => sleep(3)), { maxConnections: 2 }),
        );
        for (const name of ["a", "b", "c"]) {
          network.arrive(name);
          await sleep(1);
        }
        await sleep(10);
        listener.close();
        await serving.wait();
      });
    });
  },
  scripted,
);
