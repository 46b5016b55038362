/** What waits, fails and closes above a socket of the backend that does what the test wants, when it wants it. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { BusyResourceError, ClosedResourceError, SystemError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskTree } from "../core/task-tree.ts";
import type { Completion, DatagramHandle } from "../platform/network.ts";
import type { SocketAddress } from "../platform/wire.ts";
import { moveOnAfter, sleep } from "../sync/timeouts.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { type QueueLimits } from "./datagram-queue.ts";
import { ConnectedUdpSocket, UdpSocket } from "./udp-socket.ts";
import { UnixDatagramSocket } from "./unix-datagram.ts";

const test = onEveryBackend(nodeTest);

const PEER = { host: "192.0.2.1", port: 53 };
const LIMITS: QueueLimits = { datagrams: 3, bytes: 70_000, overflow: "drop-oldest" };

interface Sending {
  readonly bytes: Uint8Array;
  readonly to: SocketAddress | undefined;
  readonly completion: Completion<void>;
}

class FakeHandle implements DatagramHandle {
  readonly localAddress = { host: "127.0.0.1", port: 7 };
  readonly sendings: Sending[] = [];
  closings = 0;
  onSend: (sending: Sending) => void = () => {};

  send(bytes: Uint8Array, to: SocketAddress | undefined, completion: Completion<void>): void {
    const sending = { bytes, to, completion };
    this.sendings.push(sending);
    this.onSend(sending);
  }

  setOption(): void {}
  setMembership(): void {}
  close(): void {
    this.closings += 1;
  }
}

class StoppingHandle extends FakeHandle {
  readonly reading: boolean[] = [];

  setReading(reading: boolean): void {
    this.reading.push(reading);
  }
}

function open(limits: QueueLimits = LIMITS): { socket: UdpSocket; handle: FakeHandle } {
  const socket = new UdpSocket(limits, 4, false);
  const handle = new FakeHandle();
  socket.attach(handle);
  return { socket, handle };
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const refused = (): SystemError => new SystemError("refused", "ECONNREFUSED");

test("UdpSocket.receive: waits for a datagram, then returns those that came meanwhile, oldest first", async () => {
  const { socket } = open();
  const waiting = socket.receive();
  assert.equal(socket.statistics().tasksWaitingReceive, 1);
  for (const n of [1, 2, 3]) socket.received(bytes(n), PEER);
  assert.deepEqual(await waiting, { data: bytes(1), address: PEER });
  assert.deepEqual((await socket.receive()).data, bytes(2));
  assert.deepEqual((await socket.receive()).data, bytes(3));
  assert.equal(await moveOnAfter(5, () => socket.receive()), undefined);
});

test("UdpSocket: iterates over datagrams, empty ones too, and leaving the loop closes nothing", async () => {
  const { socket, handle } = open();
  socket.received(bytes(), PEER);
  const lengths: number[] = [];
  for await (const { data } of socket) {
    lengths.push(data.length);
    if (lengths.length === 3) break;
    if (lengths.length === 1) socket.received(bytes(1), PEER);
    else void Promise.resolve().then(() => socket.received(bytes(1, 2), PEER));
  }
  assert.deepEqual([lengths, handle.closings], [[0, 1, 2], 0]);
});

test("UdpSocket.statistics: counts what is queued, what was dropped, and who waits", async () => {
  const { socket, handle } = open();
  for (const n of [1, 2, 3, 4, 5]) socket.received(new Uint8Array(n), PEER);
  const sending = socket.send(bytes(1), PEER);
  const told = socket.statistics();
  assert.deepEqual(told, {
    queuedDatagrams: 3,
    queuedBytes: 12,
    droppedDatagrams: 2,
    tasksWaitingReceive: 0,
    tasksWaitingSend: 1,
  });
  assert.ok(Object.isFrozen(told));
  assert.equal((await socket.receive()).data.length, 3);
  handle.sendings[0]?.completion.succeed();
  await sending;
  assert.deepEqual([socket.statistics().queuedBytes, socket.statistics().tasksWaitingSend], [9, 0]);
});

test("UdpSocket.receive, send: are checkpoints also when they need not wait, and cancelled before they lose nothing (§2.1)", async () => {
  const { socket, handle } = open();
  socket.received(bytes(1), PEER);
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(() => socket.receive());
  const other = new CancelScope();
  other.cancel();
  await other.run(() => socket.send(bytes(1), PEER));
  assert.equal(handle.sendings.length, 0);
  await assertCheckpoints(() => socket.receive());
  const sending = socket.send(bytes(1), PEER);
  handle.sendings[0]?.completion.succeed();
  await sending;
});

test("UdpSocket.receive: cancelled at any moment, it loses no datagram (§2.2)", async () => {
  const { rounds } = await cancelEverywhere(async (round) => {
    const { socket } = open();
    let came = 0;
    let received = 0;
    const come = (): void => {
      came += 1;
      socket.received(bytes(came), PEER);
    };
    round.after(() => {
      assert.equal(received + socket.statistics().queuedDatagrams, came);
      assert.equal(socket.statistics().tasksWaitingReceive, 0);
    });
    come();
    void sleep(1).then(come, come);
    for (let n = 0; n < 2; n++) {
      await socket.receive();
      received += 1;
    }
  });
  assert.ok(rounds.entry >= 2 && rounds.waiting >= 1 && rounds.woken >= 1);
});

test("UdpSocket.send: cancelled at any moment, it is sent once or not at all, and leaves nothing waiting (§2.2)", async () => {
  const { rounds } = await cancelEverywhere(async (round) => {
    const { socket, handle } = open();
    round.after(() => {
      assert.equal(socket.statistics().tasksWaitingSend, 0);
      assert.ok(handle.sendings.length <= 1);
    });
    handle.onSend = ({ completion }) => void Promise.resolve().then(() => completion.succeed());
    await socket.send(bytes(1), PEER);
    assert.equal(handle.sendings.length, 1);
  });
  assert.deepEqual(rounds, { entry: 1, waiting: 1, woken: 1 });
});

test("UdpSocket.send: cancelled while the system has it, nobody waits for it any more, and what comes of it does not matter", async () => {
  const { socket, handle } = open();
  const scope = new CancelScope();
  const sending = scope.run(() => socket.send(bytes(1), PEER));
  scope.cancel();
  assert.equal(socket.statistics().tasksWaitingSend, 0);
  assert.equal(await sending, undefined);
  assert.ok(scope.cancelledCaught);
  handle.sendings[0]?.completion.fail(refused());
  socket.close();
});

test("UdpSocket.receive: a second task that receives at the same time is refused", async () => {
  const { socket } = open();
  const first = socket.receive();
  await assert.rejects(socket.receive(), BusyResourceError);
  await assert.rejects(socket[Symbol.asyncIterator]().next(), BusyResourceError);
  socket.received(bytes(1), PEER);
  assert.deepEqual((await first).data, bytes(1));
});

test("UdpSocket.send: several tasks may send at once, and each hears of its own datagram", async () => {
  const { socket, handle } = open();
  const sendings = [1, 2, 3].map((n) => socket.send(bytes(n), { ...PEER, port: n }));
  const [a, b, c] = handle.sendings;
  assert.deepEqual(
    handle.sendings.map(({ to }) => to),
    [1, 2, 3].map((port) => ({ ...PEER, port })),
  );
  b?.completion.fail(refused());
  c?.completion.succeed();
  await assert.rejects(sendings[1] as Promise<void>, refused());
  await sendings[2];
  assert.equal(socket.statistics().tasksWaitingSend, 1);
  a?.completion.succeed();
  await sendings[0];
});

test("UdpSocket.send: takes a copy, of a Buffer too, so the bytes may be used again at once", async () => {
  const { socket, handle } = open();
  const buffer = Buffer.from([1, 2, 3]);
  const sending = socket.send(buffer, PEER);
  buffer.fill(9);
  assert.deepEqual(handle.sendings[0]?.bytes, bytes(1, 2, 3));
  handle.sendings[0]?.completion.succeed();
  await sending;
});

test("UdpSocket.close: tasks that wait get ClosedResourceError, so does who comes later, and it is done once (§6)", async () => {
  const { socket, handle } = open();
  const waits = [socket.receive(), socket.send(bytes(1), PEER), socket.send(bytes(2), PEER)];
  socket.close();
  socket.close();
  await socket[Symbol.asyncDispose]();
  assert.equal(handle.closings, 1);
  for (const wait of waits) await assert.rejects(wait, ClosedResourceError);
  handle.sendings[0]?.completion.succeed();
  socket.received(bytes(1), PEER);
  socket.failed(refused());
  const closed = {
    name: "ClosedResourceError",
    message: /^UdpSocket\.receive: this socket is closed/,
  };
  await assert.rejects(socket.receive(), closed);
  await assert.rejects(socket.send(bytes(1), PEER), ClosedResourceError);
  for (const change of [
    () => socket.setBroadcast(true),
    () => socket.setTimeToLive(3),
    () => socket.joinGroup("239.1.2.3"),
  ])
    assert.throws(change, ClosedResourceError);
  assert.deepEqual([socket.statistics().queuedDatagrams, socket.localAddress.port], [0, 7]);
});

test("UdpSocket.close: what had come and was not received is dropped, and an iteration ends with the error", async (group) => {
  const { socket } = open();
  socket.received(bytes(1), PEER);
  const seen: number[] = [];
  const loop = group.startSoon(async () => {
    await assert.rejects(async () => {
      for await (const { data } of socket) seen.push(data.length);
    }, ClosedResourceError);
  });
  await waitAllTasksBlocked();
  socket.close();
  await loop.wait();
  assert.deepEqual(seen, [1]);
});

test("ConnectedUdpSocket: an error of the system goes to the receive that waits, else to the next operation, once", async () => {
  const socket = new ConnectedUdpSocket(LIMITS, 4, PEER);
  const handle = new FakeHandle();
  socket.attach(handle);
  const waiting = socket.receive();
  socket.failed(refused());
  await assert.rejects(waiting, refused());
  socket.received(bytes(1), PEER);
  socket.failed(refused());
  await assert.rejects(socket.receive(), refused());
  assert.deepEqual(await socket.receive(), bytes(1));
  socket.failed(refused());
  await assert.rejects(socket.send(bytes(2)), refused());
  assert.equal(handle.sendings.length, 0);
  const sending = socket.send(bytes(3));
  handle.sendings[0]?.completion.succeed();
  await sending;
});

test("ConnectedUdpSocket: a refusal while cancelled, busy or wrong does not use up the error of the system", async () => {
  const socket = new ConnectedUdpSocket(LIMITS, 4, PEER);
  socket.attach(new FakeHandle());
  socket.failed(refused());
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(() => socket.receive());
  await assert.rejects(socket.send("text" as never), TypeError);
  await assert.rejects(socket.receive(), refused());
});

test("ConnectedUdpSocket: drops what others sent, however the addresses are spelled", async () => {
  const socket = new ConnectedUdpSocket(LIMITS, 6, { host: "0:0::0:1", port: 53 });
  socket.attach(new FakeHandle());
  socket.received(bytes(1), { host: "::2", port: 53 });
  socket.received(bytes(2), { host: "::1", port: 54 });
  socket.received(bytes(3), { host: "::1", port: 53 });
  assert.deepEqual(await socket.receive(), bytes(3));
  assert.deepEqual(socket.statistics().droppedDatagrams, 0);
  const local = new ConnectedUdpSocket(LIMITS, 6, { host: "fe80::1%eth0", port: 53 });
  local.received(bytes(4), { host: "fe80::1", port: 53 });
  assert.equal(local.statistics().queuedDatagrams, 1);
});

test("UnixDatagramSocket: reading stops while the queue is full, and goes on when one is taken", async () => {
  const socket = new UnixDatagramSocket();
  const handle = new StoppingHandle();
  socket.attach(handle);
  for (let n = 0; n < 130; n++) socket.received(bytes(n), { path: "/a" });
  assert.deepEqual(handle.reading, [false]);
  for (let n = 0; n < 130; n++) assert.equal((await socket.receive()).data[0], n);
  assert.deepEqual(handle.reading, [false, true]);
  assert.equal(socket.statistics().droppedDatagrams, 0);
});

test("UnixDatagramSocket: where reading cannot stop, what comes to a full queue is dropped and counted", async () => {
  const socket = new UnixDatagramSocket();
  socket.attach(new FakeHandle());
  for (let n = 0; n < 130; n++) socket.received(bytes(n), { path: "/a" });
  const { queuedDatagrams, droppedDatagrams } = socket.statistics();
  assert.deepEqual([queuedDatagrams, droppedDatagrams], [128, 2]);
});

test("UdpSocket: what a handle throws at once rejects the send, and leaves nothing waiting", async () => {
  const { socket, handle } = open();
  handle.onSend = () => {
    throw refused();
  };
  await assert.rejects(socket.send(bytes(1), PEER), refused());
  assert.equal(socket.statistics().tasksWaitingSend, 0);
});

test("UdpSocket: a task that waits for a datagram says so in the task tree", async (group) => {
  const { socket } = open();
  group.startSoon(() => socket.receive(), { name: "server", daemon: true });
  await waitAllTasksBlocked();
  assert.match(taskTree().toString(), /server[^\n]*datagram\.receive/);
  await checkpoint();
});
