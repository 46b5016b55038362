import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { hostBackend } from "../platform/host.ts";
import { ClosedResourceError, SystemError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { simulator } from "../sim/simulator.ts";
import { run } from "../platform/run.ts";
import { failAfter, moveOnAfter, sleep } from "../sync/timeouts.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { type BackendTest, onEveryBackend } from "../testing/every-backend.ts";
import { connectUnixDatagram, openUnixDatagram } from "./unix-datagram.ts";

/** None of what is tested here takes long; what hangs shall say where. */
const LIMIT_MS = 10_000;

const every = onEveryBackend(nodeTest);
const test: BackendTest = (title, body) =>
  every(title, (group) => failAfter(LIMIT_MS, async () => body(group)), {
    skip: { backend: "host", reason: "a gap of every runtime, see docs/gaps.md" },
  });

let paths = 0;
const newPath = (): string => `/run/${(paths += 1)}.sock`;

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof SystemError && error.systemCode === code;

nodeTest("openUnixDatagram, connectUnixDatagram: name the backend that cannot", async () => {
  const cannot = (operation: string) => ({
    name: "NotSupportedError",
    message: `${operation}: the backend "${hostBackend.name}" cannot do this; docs/gaps.md lists which can`,
  });
  await run(async () => {
    await assert.rejects(openUnixDatagram(), cannot("openUnixDatagram"));
    await assert.rejects(connectUnixDatagram("/a"), cannot("connectUnixDatagram"));
  });
});

test("UnixDatagramSocket: datagrams go there and back, empty and large ones too, with the path of who sent them", async () => {
  using a = await openUnixDatagram({ path: newPath() });
  using b = await openUnixDatagram({ path: newPath() });
  for (const data of [bytes(1, 2, 3), bytes(), new Uint8Array(100_000).fill(7)]) {
    await a.send(data, b.localAddress);
    const got = await b.receive();
    assert.deepEqual(got, { data, address: a.localAddress });
    await b.send(got.data, got.address);
    assert.deepEqual((await a.receive()).data, data);
  }
});

test("UnixDatagramSocket: none is lost and none overtakes: who sends waits for room", async (group) => {
  using receiver = await openUnixDatagram({ path: newPath() });
  using sender = await openUnixDatagram();
  const count = 500;
  let sent = 0;
  group.startSoon(async () => {
    for (let n = 0; n < count; n++) {
      await sender.send(bytes(n & 255), receiver.localAddress);
      sent += 1;
    }
  });
  await waitUntil(() => receiver.statistics().queuedDatagrams >= 128);
  await waitAllTasksBlocked();
  assert.ok(sent < count, `${sent} were sent`);
  for (let n = 0; n < count; n++) assert.equal((await receiver.receive()).data[0], n & 255);
  assert.equal(receiver.statistics().droppedDatagrams, 0);
});

test("connectUnixDatagram: sends to one and receives from there only; it must be there", async () => {
  const path = newPath();
  await assert.rejects(connectUnixDatagram(path), hasCode("ENOENT"));
  using peer = await openUnixDatagram({ path });
  using other = await openUnixDatagram({ path: newPath() });
  using socket = await connectUnixDatagram(path, { localPath: newPath() });
  assert.deepEqual(socket.remoteAddress, { path });
  await socket.send(bytes(1));
  const { data, address } = await peer.receive();
  assert.deepEqual([data, address], [bytes(1), socket.localAddress]);
  await other.send(bytes(2), address);
  await peer.send(bytes(3), address);
  assert.deepEqual(await socket.receive(), bytes(3));
  assert.equal(await moveOnAfter(20, () => socket.receive()), undefined);
});

test("openUnixDatagram: a path that is taken is EADDRINUSE; closing gives it back, and ends who waits", async (group) => {
  const path = newPath();
  const socket = await openUnixDatagram({ path });
  await assert.rejects(openUnixDatagram({ path }), hasCode("EADDRINUSE"));
  const waiting = group.startSoon(() => assert.rejects(socket.receive(), ClosedResourceError));
  await waitAllTasksBlocked();
  socket.close();
  await waiting.result();
  using again = await openUnixDatagram({ path });
  await assert.rejects(again.send(bytes(1), { path: newPath() }), hasCode("ENOENT"));
});

test("openUnixDatagram, connectUnixDatagram, send: are checkpoints (§2.1)", async () => {
  using socket = await assertCheckpoints(() => openUnixDatagram({ path: newPath() }));
  using connected = await assertCheckpoints(() => connectUnixDatagram(socket.localAddress.path));
  await assertCheckpoints(() => connected.send(bytes(1)));
  await assertCheckpoints(() => socket.receive());
});

test("openUnixDatagram, connectUnixDatagram: cancelled at any moment, they leave no socket open", async () => {
  const path = newPath();
  const localPath = newPath();
  const { rounds } = await cancelEverywhere(async () => {
    using _socket = await openUnixDatagram({ path });
    using _connected = await connectUnixDatagram(path, { localPath });
  });
  assert.ok(rounds.waiting >= 2 && rounds.woken >= 2);
  using _again = await openUnixDatagram({ path });
});

test("openUnixDatagram: wrong arguments reject, and are never thrown at once", async () => {
  using socket = await openUnixDatagram();
  const cases: readonly [() => Promise<unknown>, string, RegExp][] = [
    [
      () => openUnixDatagram("a" as never),
      "TypeError",
      /^openUnixDatagram: got "a", needs an object/,
    ],
    [() => openUnixDatagram({ path: "" }), "RangeError", /^openUnixDatagram, its own path: got ""/],
    [
      () => openUnixDatagram({ mode: 0o600 }),
      "RangeError",
      /\(\{ mode \}\): got a mode for no path/,
    ],
    [() => openUnixDatagram({ path: "\0a", mode: 0 }), "RangeError", /got a mode for @a/],
    [
      () => openUnixDatagram({ path: "/a", mode: 0o1000 }),
      "RangeError",
      /got 0o1000, needs at most/,
    ],
    [() => connectUnixDatagram(7 as never), "TypeError", /^connectUnixDatagram: got 7/],
    [
      () => socket.send("a" as never, { path: "/a" }),
      "TypeError",
      /^UnixDatagramSocket\.send: got "a"/,
    ],
    [() => socket.send(bytes(1), { path: "" }), "RangeError", /^UnixDatagramSocket\.send: got ""/],
    [() => socket.send(bytes(1), "/a" as never), "TypeError", /got "\/a", needs an object/],
  ];
  for (const [call, name, message] of cases) await assert.rejects(call(), { name, message });
});

nodeTest(
  "openUnixDatagram: a simulated socket whose owner never receives keeps its sender waiting",
  async () => {
    await run(
      async () => {
        using receiver = await openUnixDatagram({ path: "/a" });
        using sender = await openUnixDatagram();
        const sendAll = async (): Promise<void> => {
          for (;;) await sender.send(bytes(1), receiver.localAddress);
        };
        assert.equal(await moveOnAfter(60_000, sendAll), undefined);
        assert.equal(receiver.statistics().droppedDatagrams, 0);
        assert.ok(receiver.statistics().queuedDatagrams < 200);
      },
      { backend: simulator({ seed: 3 }) },
    );
  },
);

async function waitUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(1);
}
