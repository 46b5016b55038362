/** Each operation of buffered streams, cancelled at each of its checkpoints, or met at a bad moment: it lost nothing. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { BusyResourceError, ClosedResourceError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { shielded } from "../sync/shield.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { BufferedByteReceiveStream, BufferedByteStream } from "./buffered-byte-stream.ts";
import type { ByteReceiveStream } from "./byte-stream.ts";
import { createMemoryPipe } from "./memory-pipe.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";

const test = onEveryBackend(nodeTest);
const TEXT = "first\nsecond\nthird\n";

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** What was taken out of the stream, with what separates it. */
type Take = (stream: BufferedByteReceiveStream) => Promise<string>;

const OPERATIONS: Readonly<Record<string, Take>> = {
  receive: async (stream) => textOf(await stream.receive(4)),
  async receiveInto(stream) {
    const view = new Uint8Array(4);
    return textOf(view.subarray(0, await stream.receiveInto(view)));
  },
  next: async (stream) => textOf((await stream[Symbol.asyncIterator]().next()).value),
  receiveExactly: async (stream) => textOf(await stream.receiveExactly(5)),
  receiveUntil: async (stream) => `${textOf(await stream.receiveUntil(Uint8Array.of(10), 100))}\n`,
  receiveLine: async (stream) => `${await stream.receiveLine({ maxBytes: 100 })}\n`,
};

for (const [name, take] of Object.entries(OPERATIONS)) {
  test(`Buffered.${name}: cancelled at any checkpoint, while bytes come one by one, it lost none`, async (group) => {
    const { rounds } = await cancelEverywhere(async (round) => {
      const [sender, receiver] = createMemoryPipe({ held: true });
      const stream = new BufferedByteReceiveStream(receiver);
      let taken = "";
      round.after(() =>
        group.startSoon(async () => {
          sender.pump();
          sender.close();
          for await (const chunk of stream) taken += textOf(chunk);
          assert.equal(taken, TEXT);
        }),
      );
      await shielded(() => sender.send(new TextEncoder().encode(TEXT)));
      await taskGroup(async (inner) => {
        inner.startSoon(async () => {
          while (sender.pump(1) > 0) await waitAllTasksBlocked();
        });
        taken += await take(stream);
        taken += await take(stream);
      });
    });
    assert.ok(rounds.waiting > 2, `only ${rounds.waiting} waits were cancelled`);
  });
}

test("Buffered: after a cancelled call has ended, the next one goes on at once, with the bytes that came for the first", async (group) => {
  const [sender, receiver] = createMemoryPipe();
  const stream = new BufferedByteReceiveStream(receiver);
  const scope = new CancelScope();
  const first = group.startSoon(() => scope.run(() => stream.receiveExactly(4)));
  await sender.send(new TextEncoder().encode("abc"));
  await waitAllTasksBlocked();
  assert.equal(stream.bufferedBytes, 3);
  scope.cancel();
  await first.wait();
  assert.equal(textOf(await stream.receiveExactly(3)), "abc");
});

test("Buffered: a receive that was given bytes keeps them, whatever is cancelled then", async (group) => {
  const [sender, receiver] = createMemoryPipe();
  const stream = new BufferedByteReceiveStream(receiver);
  const scope = new CancelScope();
  const first = group.startSoon(() => scope.run(() => stream.receiveExactly(3)));
  await waitAllTasksBlocked();
  await sender.send(new TextEncoder().encode("abc"));
  scope.cancel();
  const bytes = await first.result();
  // Either it has them, or they are still there: which one, the order of the wake-ups decides.
  assert.equal(textOf(bytes ?? (await stream.receive())), "abc");
});

test("BufferedByteStream.send, sendEof: cancelled at any checkpoint, they are all or nothing", async (group) => {
  await cancelEverywhere(async (round) => {
    const [left, right] = createMemoryStreamPair();
    const stream = new BufferedByteStream(left);
    let sent = 0;
    let ended = false;
    round.after(() =>
      group.startSoon(async () => {
        if (!ended) await stream.sendEof();
        for await (const chunk of right) sent -= chunk.length;
        assert.equal(sent, 0);
      }),
    );
    await stream.send(new Uint8Array(3));
    sent = 3;
    await stream.sendEof();
    ended = true;
  });
});

/** A source whose chunks come when the test says so, and which guards nothing. */
class ManualSource implements ByteReceiveStream {
  readonly waiting: ((chunk: Uint8Array) => void)[] = [];

  receive(): Promise<Uint8Array> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  receiveInto(): Promise<number> {
    return Promise.resolve(1);
  }
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: async () => ({ done: false, value: await this.receive() }) };
  }
  close(): void {}
  [Symbol.dispose](): void {}
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

test("Buffered: between a chunk and the task that gets it, no other task can take the next one", async () => {
  const source = new ManualSource();
  const stream = new BufferedByteReceiveStream(source);
  const first = stream.receiveExactly(4);
  source.waiting.shift()?.(new TextEncoder().encode("ab"));
  for (const operation of [
    () => stream.receive(),
    () => stream.receiveInto(new Uint8Array(1)),
    () => stream[Symbol.asyncIterator]().next(),
    () => stream.receiveExactly(1),
  ])
    await assert.rejects(operation() as Promise<unknown>, BusyResourceError);
  source.waiting.shift()?.(new TextEncoder().encode("cd"));
  assert.equal(textOf(await first), "abcd");
});

test("Buffered.close: between a chunk and the task that gets it, it wins", async () => {
  const source = new ManualSource();
  const stream = new BufferedByteReceiveStream(source);
  const first = stream.receiveExactly(2);
  source.waiting.shift()?.(new TextEncoder().encode("ab"));
  stream.close();
  await assert.rejects(first, ClosedResourceError);
  await assert.rejects(
    stream.receive(),
    /BufferedByteReceiveStream.receive: this stream is closed/,
  );
  assert.equal(stream.bufferedBytes, 0);
});
