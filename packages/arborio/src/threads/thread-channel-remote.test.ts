/** Who wins when an operation is cancelled while its home takes it: moments that only come by chance between threads, one by one. */
import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { CancelScope, sleep, type TaskGroup, taskTree } from "../index.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { MessagePortLike } from "../platform/threads.ts";
import { onEveryBackend } from "../testing.ts";
import {
  connectReceiveChannel,
  connectSendChannel,
  createThreadChannel,
  type ThreadReceiveChannel,
} from "../threads.ts";
import {
  CHANNEL_PORT,
  type EndPassport,
  FREE,
  type FromHome,
  PENDING,
  TAKEN,
  type ToHome,
  WITHDRAWN,
} from "./thread-channel-protocol.ts";

const test = onEveryBackend(runnerTest);

/** Starts `fn` in a scope that can be cancelled. */
function start<T>(
  group: TaskGroup,
  fn: () => Promise<T>,
): { scope: CancelScope; value: () => T | undefined; wait: () => Promise<void> } {
  const scope = new CancelScope();
  let value: T | undefined;
  const task = group.startSoon(() =>
    scope.run(async () => {
      value = await fn();
    }),
  );
  return { scope, value: () => value, wait: () => task.wait() };
}

test("thread channel: a receiver that is cancelled after its item was sent to it gets it", async (group) => {
  const [sender, receiver] = createThreadChannel<number>(0);
  using from = connectReceiveChannel<number>(receiver.handOver());
  const receive = start(group, () => from.receive());
  while (sender.statistics().tasksWaitingReceive === 0) await sleep(1);
  sender.sendSync(7);
  receive.scope.cancel();
  await receive.wait();
  assert.equal(receive.value(), 7);
});

test("thread channel: a sender that is cancelled after its item was taken has sent it", async (group) => {
  const [sender, receiver] = createThreadChannel<number>(0);
  using to = connectSendChannel<number>(sender.handOver());
  const send = start(group, async () => {
    await to.send(7);
    return "sent";
  });
  while (receiver.statistics().tasksWaitingSend === 0) await sleep(1);
  assert.equal(receiver.receiveSync(), 7);
  send.scope.cancel();
  await send.wait();
  assert.equal(send.value(), "sent");
});

test("thread channel: a sender that withdrew before the home knew of it gives nothing", async (group) => {
  const [sender, receiver] = createThreadChannel<number>(0);
  using from = connectReceiveChannel<number>(receiver.handOver());
  using to = connectSendChannel<number>(sender.clone().handOver());
  const send = start(group, () => to.send(7));
  while (sender.statistics().tasksWaitingSend === 0) await sleep(1);
  // Both in one turn: the home hears of the receiver first.
  const receive = from.receive();
  send.scope.cancel();
  await send.wait();
  while (sender.statistics().tasksWaitingReceive === 0) await sleep(1);
  await sender.send(8);
  assert.equal(await receive, 8);
  assert.ok(send.scope.cancelledCaught);
});

/** A home whose decisions the test takes. */
class Home {
  readonly end: ThreadReceiveChannel<number>;
  readonly messages: ToHome[] = [];
  readonly #port: MessagePortLike;

  constructor() {
    const { threads } = currentBackend();
    assert.ok(threads !== undefined);
    const [home, away] = threads.createPortPair();
    home.post({ kind: CHANNEL_PORT, half: "receive", home: "elsewhere" } satisfies EndPassport);
    home.listen(
      (message) => this.messages.push(message as ToHome),
      () => {},
    );
    this.#port = home;
    this.end = connectReceiveChannel<number>(away.native as MessagePort);
  }

  /** Waits for a message of this kind; what it says. */
  async got<Kind extends ToHome[0]>(
    kind: Kind,
  ): Promise<Extract<ToHome, readonly [Kind, ...unknown[]]>> {
    for (;;) {
      const index = this.messages.findIndex(([found]) => found === kind);
      if (index >= 0) return this.messages.splice(index, 1)[0] as never;
      await sleep(1);
    }
  }

  post(message: FromHome): void {
    this.#port.post(message);
  }

  close(): void {
    this.end.close();
    this.#port.close();
  }
}

test("thread channel: cancelled while it is taken in vain, an operation is withdrawn after that", async (group) => {
  const home = new Home();
  const [, words] = await home.got("here");
  const receive = start(group, () => home.end.receive());
  const [, place] = await home.got("receive");
  assert.equal(Atomics.compareExchange(words, place, PENDING, TAKEN), PENDING);
  receive.scope.cancel();
  await sleep(2);
  assert.ok(!receive.scope.cancelledCaught);
  Atomics.store(words, place, PENDING);
  home.post(["waits", place]);
  await receive.wait();
  assert.ok(receive.scope.cancelledCaught);
  assert.deepEqual(await home.got("withdrawn"), ["withdrawn", place]);
  assert.equal(Atomics.load(words, place), WITHDRAWN);
  home.post(["free", place]);
  while (Atomics.load(words, place) !== FREE) await sleep(1);
  home.close();
});

test("thread channel: closed while its item is under way, an end still gets it", async (group) => {
  const home = new Home();
  const [, words] = await home.got("here");
  const receive = start(group, () => home.end.receive());
  const [, place] = await home.got("receive");
  Atomics.store(words, place, TAKEN);
  home.end.close();
  await home.got("close");
  home.post(["item", place, { item: 7, transfer: [] }]);
  await receive.wait();
  assert.equal(receive.value(), 7);
  home.close();
});

test("thread channel: the task tree says what is waited for", async (group) => {
  const home = new Home();
  const receive = start(group, () => home.end.receive());
  await home.got("receive");
  assert.match(taskTree(), /threadChannel\.receive/);
  receive.scope.cancel();
  home.close();
});
