import assert from "node:assert/strict";
import {
  BrokenResourceError,
  CancelScope,
  ClosedResourceError,
  EndOfStream,
  sleep,
  type TaskGroup,
  taskGroup,
} from "../index.ts";
import { cancelEverywhere } from "../testing.ts";
import {
  BrokenWorkerError,
  connectReceiveChannel,
  connectSendChannel,
  createThreadChannel,
  moduleAt,
  runInProcess,
  runInThread,
  type ThreadSendChannel,
} from "../threads.ts";
import { kitUrl, onHost, test, withExit } from "./on-threads.test.kit.ts";
import type * as Kit from "./thread-channel.test.kit.ts";
import { PLACES } from "./thread-channel-protocol.ts";

const kit = moduleAt<typeof Kit>(kitUrl("thread-channel"));

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Sends numbers, then closes. */
function feed(group: TaskGroup, sender: ThreadSendChannel<number>, count: number): void {
  group.startSoon(async () => {
    using _closing = sender;
    for (let n = 0; n < count; n++) await sender.send(n);
  });
}

test("thread channel: an end given to a call is closed here, and there when the call has ended", async () => {
  const [sender, from] = createThreadChannel<number>(1);
  await sender.send(1);
  assert.equal(await runInThread(kit, "attempt", { args: [from, "receive"] }), 1);
  await assert.rejects(from.receive(), ClosedResourceError);
  while (sender.statistics().openReceiveChannels > 0) await sleep(1);
  await assert.rejects(sender.send(2), BrokenResourceError);
});

test("thread channel: a call that does not begin leaves its ends as they are", async () => {
  const [sender, from] = createThreadChannel<number>(1);
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(() => runInThread(kit, "attempt", { args: [from, "receive"] }));
  await assert.rejects(
    runInThread(kit, "attempt", { args: [from, "receive", { fn() {} }] }),
    /the argument at index 2 cannot be sent/,
  );
  await sender.send(1);
  assert.equal(await from.receive(), 1);
  await assert.rejects(runInThread(kit, "attempt", { args: [[from], "receive"] as never }), {
    name: "TypeError",
  });
  await assert.rejects(
    runInProcess(kit, "attempt", { args: [from, "receive"] }),
    /the end of a channel can go to a thread, not to a process/,
  );
  while (sender.statistics().openReceiveChannels > 1) await sleep(1);
  await sender.send(2);
  assert.equal(await from.receive(), 2);
});

test("thread channel: a clone outlives the call that made it", async () => {
  const [sender, from] = createThreadChannel<number>(1);
  await runInThread(kit, "keep", { args: [from] });
  await sender.send(5);
  assert.equal(await runInThread(kit, "useKept"), 5);
  while (sender.statistics().openReceiveChannels > 0) await sleep(1);
});

test("thread channel: in another thread, closing an end ends the waits on it", async () => {
  const closed = ["ClosedResourceError", "ClosedResourceError", "ClosedResourceError"];
  const [sender, from] = createThreadChannel<number>(0);
  assert.deepEqual(await runInThread(kit, "closeWhileWaiting", { args: [from] }), closed);
  const [to, receiver] = createThreadChannel<number>(0);
  assert.deepEqual(await runInThread(kit, "closeWhileWaiting", { args: [to] }), closed);
  await assert.rejects(sender.send(1), BrokenResourceError);
  await assert.rejects(receiver.receive(), EndOfStream);
});

test("thread channel: the other half gone, in another thread", async (group) => {
  for (const operation of ["send", "sendSync"] as const) {
    const [to, receiver] = createThreadChannel<number>(0);
    const call = group.startSoon(() => runInThread(kit, "attempt", { args: [to, operation, 1] }));
    await sleep(5);
    receiver.close();
    assert.match(String(await call.result()), /^(BrokenResourceError|NotSupportedError)$/);
    const [again, gone] = createThreadChannel<number>(0);
    gone.close();
    assert.match(
      String(await runInThread(kit, "attempt", { args: [again, operation, 1] })),
      /^(BrokenResourceError|NotSupportedError)$/,
    );
  }
  for (const operation of ["receive", "receiveSync"] as const) {
    const [sender, from] = createThreadChannel<number>(0);
    const call = group.startSoon(() => runInThread(kit, "attempt", { args: [from, operation] }));
    await sleep(5);
    sender.close();
    assert.match(String(await call.result()), /^(EndOfStream|NotSupportedError)$/);
  }
});

test("thread channel: what is left is received when the senders are gone", async () => {
  const [sender, from] = createThreadChannel<string>(3);
  for (const item of ["a", "b", "c"]) await sender.send(item);
  sender.close();
  assert.deepEqual(await runInThread(kit, "consume", { args: [from] }), ["a", "b", "c"]);
});

test("thread channel: more waits on one end than it has places", async (group) => {
  const [sender, from] = createThreadChannel<number>(0);
  const count = PLACES * 2 + 3;
  const call = group.startSoon(() => runInThread(kit, "receiveMany", { args: [from, count] }));
  feed(group, sender, count);
  assert.deepEqual(
    [...(await call.result())].sort((a, b) => a - b),
    numbers(count),
  );
});

test("thread channel: statistics are for those in the channel's thread", async () => {
  const [, from] = createThreadChannel<number>(1);
  const name = await runInThread(kit, "attempt", { args: [from, "statistics"] });
  assert.equal(name, "NotSupportedError");
});

test("thread channel: wrong arguments", async () => {
  assert.throws(() => createThreadChannel(-1), RangeError);
  assert.throws(() => createThreadChannel("1" as never), TypeError);
  const [sender, receiver] = createThreadChannel<number>(1);
  await assert.rejects(sender.send(1, { transfers: [] } as never), TypeError);
  await assert.rejects(sender.send(1, { transfer: [1] } as never), TypeError);
  assert.throws(() => sender.sendSync(1, { timeoutMs: NaN }), RangeError);
  assert.throws(() => receiver.receiveSync({ timeoutMs: "1" } as never), TypeError);
  assert.throws(() => receiver.receiveSync({ timeout: 1 } as never), /there is no such option/);
  assert.throws(() => connectSendChannel({} as never), /needs the port that handOver\(\)/);
  assert.throws(() => connectReceiveChannel(undefined as never), /got undefined, needs the port/);
  assert.throws(() => connectSendChannel(receiver.handOver()), /got the port of an end to receive/);
  while (sender.statistics().openReceiveChannels > 0) await sleep(1);
});

test(
  "thread channel: ends travel as ports, also in items of another channel",
  async (group) => {
    const [toWorker, from] = createThreadChannel<number>(1);
    const [to, fromWorker] = createThreadChannel<number>(1);
    const [ports, receivePorts] = createThreadChannel<MessagePort>(2);
    const call = group.startSoon(() => runInThread(kit, "doublePorts", { args: [receivePorts] }));
    for (const end of [from, to]) {
      const port = end.handOver();
      await ports.send(port, { transfer: [port] });
      assert.throws(() => end.handOver(), ClosedResourceError);
    }
    feed(group, toWorker, 10);
    const got: number[] = [];
    for await (const n of fromWorker) got.push(n);
    assert.equal(got.length, 10);
    assert.equal(await call.result(), 10);
  },
  { skip: { backend: "simulator", reason: "its ports only go with calls" } },
);

test(
  "thread channel: a thread that ends has closed its ends",
  async () => {
    const [sender, from] = createThreadChannel<number>(1);
    const [to, receiver] = createThreadChannel<number>(1);
    await assert.rejects(runInThread(kit, "die", { args: [from, to] as never }), BrokenWorkerError);
    await assert.rejects(receiver.receive(), EndOfStream);
    while (sender.statistics().openReceiveChannels > 0) await sleep(1);
    await assert.rejects(sender.send(1), BrokenResourceError);
  },
  withExit,
);

test(
  "thread channel: an item that was on its way to a thread that ended is not lost",
  async (group) => {
    const [sender, from] = createThreadChannel<number>(0);
    const [ready, isReady] = createThreadChannel<number>(0);
    const mine = from.clone();
    const word = new Int32Array(new SharedArrayBuffer(4));
    const call = group.startSoon(() =>
      assert.rejects(runInThread(kit, "dieWaiting", { args: [from, ready, word] })),
    );
    await isReady.receive();
    while (sender.statistics().tasksWaitingReceive === 0) await sleep(1);
    await sender.send(42);
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
    await call.wait();
    assert.equal(await mine.receive(), 42);
  },
  withExit,
);

test(
  "thread channel: a cancelled caller ends a wait that blocks its worker",
  async (group) => {
    const [sender, from] = createThreadChannel<number>(1);
    const [ready, isReady] = createThreadChannel<number>(0);
    const mine = from.clone();
    const scope = new CancelScope();
    const call = group.startSoon(() =>
      scope.run(() =>
        runInThread(kit, "receiveSyncForever", { args: [from, ready], graceMs: Infinity }),
      ),
    );
    await isReady.receive();
    scope.cancel();
    await call.wait();
    assert.ok(scope.cancelledCaught);
    await sender.send(1);
    assert.equal(await mine.receive(), 1);
  },
  onHost,
);

test(
  "thread channel: a wait that blocks a worker has a limit",
  async () => {
    const [sender, from] = createThreadChannel<number>(1);
    const mine = from.clone();
    const name = await runInThread(kit, "attempt", {
      args: [from, "receiveSync", { timeoutMs: 5 }],
    });
    assert.equal(name, "TimeoutError");
    await sender.send(1);
    const late = await runInThread(kit, "attempt", {
      args: [sender.clone(), "sendSync", 2, { timeoutMs: 5 }],
    });
    assert.equal(late, "TimeoutError");
    assert.equal(await mine.receive(), 1);
    sender.close();
    await assert.rejects(mine.receive(), EndOfStream);
  },
  onHost,
);

test("thread channel: cancelled everywhere, no item is lost or sent twice", async () => {
  await cancelEverywhere(async (round) => {
    const [toWorker, from] = createThreadChannel<number>(0);
    const [to, fromWorker] = createThreadChannel<number>(0);
    let sent = 0;
    let received = 0;
    round.after(() => {
      assert.ok(received <= sent, `${received} of ${sent}`);
      assert.ok(sent - received <= 2, `${received} of ${sent}`);
    });
    await taskGroup(async (group) => {
      group.startSoon(() => runInThread(kit, "double", { args: [{ from, to }] }));
      using _sender = toWorker;
      for (let n = 0; n < 2; n++) {
        await toWorker.send(n);
        sent += 1;
        assert.equal(await fromWorker.receive(), 2 * n);
        received += 1;
      }
    });
  });
});

test("thread channel: ends in another place, cancelled everywhere: each operation happened, or did not", async () => {
  const { rounds } = await cancelEverywhere(async (round) => {
    const [home, receiver] = createThreadChannel<number>(1);
    using sender = connectSendChannel<number>(home.clone().handOver());
    using from = connectReceiveChannel<number>(receiver.clone().handOver());
    let sent = 0;
    let received = 0;
    round.after(() => assert.equal(home.statistics().currentBufferUsed, sent - received));
    for (let n = 0; n < 2; n++) {
      await sender.send(n);
      sent += 1;
      assert.equal(await from.receive(), n);
      received += 1;
    }
    await sender.send(2);
    sent += 1;
  });
  assert.ok(rounds.waiting >= 5, `${rounds.waiting}`);
});
