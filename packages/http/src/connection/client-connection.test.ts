/** One connection of a client over a wire of the test's: what could be lost between its callbacks. */
import assert from "node:assert/strict";
import { sleep, taskGroup } from "arborio";
import type { Wire, WireDetails, WireReceiver } from "arborio/lowlevel";
import { DEFAULT_PROTOCOL_LIMITS } from "../protocol/limits.ts";
import { BufferPool } from "./buffer-pool.ts";
import { ClientConnection } from "./client-connection.ts";
import type { ClientCore } from "./client-core.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { bytesOf, simTest } from "./raw-client.test.kit.ts";
import { RequestFailedError } from "./request-failed-error.ts";

class TestWire implements Wire {
  receiver: WireReceiver | null = null;
  text = "";
  takes = true;
  isPaused = false;
  closed: "no" | "closed" | "abortively" = "no";
  readonly details = {} as WireDetails;

  open(receiver: WireReceiver): void {
    this.receiver = receiver;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    assert.equal(this.closed, "no", "resumed when it was closed");
    this.isPaused = false;
  }

  write(bytes: Uint8Array): boolean {
    assert.equal(this.closed, "no", "written when it was closed");
    this.text += new TextDecoder().decode(bytes);
    return this.takes;
  }

  end(): void {}

  close(abortively: boolean): void {
    assert.equal(this.closed, "no", "closed twice");
    this.closed = abortively ? "abortively" : "closed";
  }

  /** The other side says this. */
  says(text: string): void {
    this.receiver?.received(bytesOf(text));
  }
}

class TestCore implements ClientCore {
  readonly limits = DEFAULT_PROTOCOL_LIMITS;
  readonly buffers: BufferPool = new BufferPool();
  readonly told: string[] = [];
  /** What the next deadlines are counted from. */
  now = 0;

  due(ms: number): number {
    return this.now + ms;
  }

  connectionOpened(): void {
    this.told.push("opened");
  }

  connectionClosed(): void {
    this.told.push("closed");
  }

  connectionIdle(): void {
    this.told.push("idle");
  }
}

function connected(): [ClientConnection, TestWire, TestCore] {
  const wire = new TestWire();
  const core = new TestCore();
  return [new ClientConnection(wire, core), wire, core];
}

function request(changes: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    url: "http://a/",
    method: "GET",
    target: "/",
    fieldText: "host: a\r\n",
    payload: null,
    payloadBytes: undefined,
    trailers: null,
    expectsContinue: false,
    upgrade: "",
    bodyBytesMax: Infinity,
    signal: null,
    timeouts: { headMs: 1000, bodyMs: 1000, writeMs: 1000, continueMs: 100 },
    onInterim: null,
    onSent: null,
    ...changes,
  };
}

function fails(phase: string, reason: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RequestFailedError, String(error));
    assert.deepEqual([error.phase, error.reason], [phase, reason]);
    return true;
  };
}

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";

simTest("an exchange, and another: idle in between, once", async () => {
  const [connection, wire, core] = connected();
  for (let count = 0; count < 2; count++) {
    await taskGroup(async (group) => {
      const exchange = group.startSoon(() => connection.exchange(request()));
      await sleep(1);
      assert.equal(connection.isReusable, false);
      wire.says(`${OK}ok`);
      assert.equal((await exchange.result()).status, 200);
      assert.equal(connection.takeWholeNowait()?.length, 2);
      assert.equal(connection.takeWholeNowait(), null);
      assert.ok(connection.isReusable);
    });
  }
  assert.deepEqual(core.told, ["opened", "idle", "idle"]);
  connection.close();
  connection.close();
  assert.deepEqual(core.told, ["opened", "idle", "idle", "closed"]);
  assert.equal(wire.closed, "closed");
});

simTest("what comes before a request was sent, is no answer to it", async () => {
  const [connection, wire, core] = connected();
  wire.says(`${OK}ok`);
  assert.deepEqual(core.told, ["opened", "closed"]);
  await assert.rejects(connection.exchange(request()), fails("send", "protocol"));
  assert.equal(wire.text, "");
});

simTest("a connection that ended before a request was sent: nothing is sent", async () => {
  for (const end of ["ended", "failed"] as const) {
    const [connection, wire] = connected();
    if (end === "ended") wire.receiver?.ended();
    else wire.receiver?.failed(new Error("reset"));
    await assert.rejects(connection.exchange(request()), fails("send", "disconnected"));
    assert.equal(wire.text, "");
    assert.ok(connection.isUnanswered);
  }
});

simTest("who waits for a head is woken by whatever ends the connection", async () => {
  const ends: Readonly<Record<string, (connection: ClientConnection, wire: TestWire) => void>> = {
    "head disconnected": (_, wire) => wire.receiver?.ended(),
    "head disconnected ": (_, wire) => wire.receiver?.failed(new Error("reset")),
    "head closed": (connection) => connection.close(),
    "head closed ": (connection) => connection.breakOff(),
    "head timeout": (connection) => connection.sweep(1000),
  };
  for (const [expected, end] of Object.entries(ends)) {
    const [connection, wire, core] = connected();
    await taskGroup(async (group) => {
      const [phase = "", reason = ""] = expected.split(" ");
      group.startSoon(() => assert.rejects(connection.exchange(request()), fails(phase, reason)));
      await sleep(1);
      end(connection, wire);
    });
    assert.deepEqual(core.told, ["opened", "closed"]);
    assert.notEqual(wire.closed, "no");
  }
});

simTest(
  "a wire that is paused when an exchange is over reads on: what nobody asked for is seen",
  async () => {
    const [connection, wire, core] = connected();
    await taskGroup(async (group) => {
      const exchange = group.startSoon(() => connection.exchange(request()));
      await sleep(1);
      wire.says("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
      await exchange.result();
      wire.says("a".repeat(100_000));
      assert.ok(wire.isPaused);
      assert.equal(connection.takeWholeNowait()?.length, 100_000);
      assert.ok(!wire.isPaused);
    });
    wire.says("H");
    assert.deepEqual(core.told, ["opened", "idle", "closed"]);
  },
);

simTest(
  "an end that comes with a response that is not read yet: the connection is not given back as one that works",
  async () => {
    const [connection, wire, core] = connected();
    await taskGroup(async (group) => {
      const exchange = group.startSoon(() => connection.exchange(request()));
      await sleep(1);
      wire.says(`${OK}ok`);
      wire.receiver?.ended();
      await exchange.result();
      assert.equal(connection.takeWholeNowait()?.length, 2);
    });
    assert.deepEqual(core.told, ["opened", "closed"]);
  },
);

simTest(
  "a large body that the wire takes slowly: writeMs counts for each piece, and the wire is closed abortively",
  async () => {
    const [connection, wire, core] = connected();
    wire.takes = false;
    const payload = new Uint8Array(200_000);
    await taskGroup(async (group) => {
      group.startSoon(() =>
        assert.rejects(
          connection.exchange(request({ method: "PUT", payload })),
          (error: RequestFailedError) =>
            fails("send", "timeout")(error) && /within 1000 ms \(writeMs\)/.test(error.message),
        ),
      );
      await sleep(1);
      connection.sweep(999);
      wire.receiver?.written();
      core.now = 999;
      await sleep(1);
      connection.sweep(1500);
      assert.equal(wire.closed, "no");
      connection.sweep(2000);
    });
    assert.equal(wire.closed, "abortively");
    assert.deepEqual(core.told, ["opened", "closed"]);
  },
);

simTest("a write that is not done long after it was answered ends the connection", async () => {
  const [connection, wire, core] = connected();
  wire.takes = false;
  await taskGroup(async (group) => {
    const exchange = group.startSoon(() => connection.exchange(request()));
    await sleep(1);
    wire.says(`${OK}ok`);
    await exchange.result();
    assert.equal(connection.takeWholeNowait()?.length, 2);
  });
  connection.sweep(999);
  assert.ok(connection.isReusable);
  connection.sweep(1000);
  assert.deepEqual(core.told, ["opened", "idle", "closed"]);
});

simTest(
  "the end of an upload is told to its own exchange alone, however late it comes",
  async () => {
    const [connection, wire, core] = connected();
    await taskGroup(async (group) => {
      const sent: number[] = [];
      const payload = async (sink: { send(text: string): Promise<void> }): Promise<void> => {
        await sink.send("a");
        await sleep(50);
      };
      const exchange = group.startSoon(() =>
        connection.exchange(
          request({ method: "PUT", payload, onSent: (bytes) => void sent.push(bytes) }),
        ),
      );
      await sleep(1);
      wire.says(`${OK}ok`);
      await exchange.result();
      const { body } = connection;
      assert.equal(connection.takeWholeNowait(), null);
      assert.equal((await body?.receive())?.length, 2);
      await assert.rejects(async () => body?.receive(), /it has ended/);
      assert.deepEqual(core.told, ["opened"]);
      await sleep(100);
      assert.deepEqual(core.told, ["opened", "idle"]);
      assert.deepEqual(sent, [1]);
      const next = group.startSoon(() => connection.exchange(request()));
      await sleep(1);
      body?.close();
      wire.says(`${OK}ok`);
      await next.result();
      assert.equal(connection.takeWholeNowait()?.length, 2);
    });
    assert.deepEqual(core.told, ["opened", "idle", "idle"]);
  },
);

simTest("two exchanges at a time are refused, and the first goes on", async () => {
  const [connection, wire] = connected();
  await taskGroup(async (group) => {
    const first = group.startSoon(() => connection.exchange(request()));
    await sleep(1);
    await assert.rejects(connection.exchange(request()), /two exchanges/);
    wire.says(`${OK}ok`);
    assert.equal((await first.result()).status, 200);
  });
});

simTest("a wire that cannot be opened leaves nothing", () => {
  const core = new TestCore();
  const wire = new TestWire();
  wire.open = () => {
    throw new Error("no");
  };
  assert.throws(() => new ClientConnection(wire, core), /no/);
  assert.deepEqual(core.told, ["opened", "closed"]);
  assert.equal(wire.closed, "closed");
});

simTest(
  "a reader that is woken late does not take the deadline of the next exchange with it",
  async () => {
    const [connection, wire, core] = connected();
    await taskGroup(async (group) => {
      const exchange = group.startSoon(() => connection.exchange(request()));
      await sleep(1);
      wire.says(OK);
      await exchange.result();
      const { body } = connection;
      const reading = group.startSoon(() => assert.rejects(async () => body?.receive(), /closed/));
      await sleep(1);
      // All before the reader goes on.
      wire.says("ok");
      body?.close();
      const next = connection.exchange(request());
      await reading.wait();
      await sleep(1);
      assert.deepEqual(core.told, ["opened", "idle"]);
      connection.sweep(1000);
      await assert.rejects(next, fails("head", "timeout"));
    });
  },
);
