import assert from "node:assert/strict";
import { describe, test as nodeTest } from "node:test";
import {
  BrokenResourceError,
  CancelScope,
  ClosedResourceError,
  createChannel,
  EndOfStream,
  sleep,
  taskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import {
  createMemoryStreamPair,
  fromIterable,
  fromReadableStream,
  fromStreamPair,
  fromWritableStream,
  itemsFromIterable,
  itemsFromReadableStream,
  itemsToReadableStream,
  itemsToWritableStream,
  toReadableStream,
  toStreamPair,
  toWritableStream,
} from "../streams.ts";
import { byteStreamConformance } from "../testing/byte-stream-conformance/index.ts";
import { onEveryBackend } from "../testing/every-backend.ts";

const TEST_MS_MAX = 20_000;
const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk);

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += text(chunk);
  return all;
}

/** A web stream whose chunks are given by hand. */
function handFed<T>(): {
  readable: ReadableStream<T>;
  controller: ReadableStreamDefaultController<T>;
  cancelled: () => unknown;
} {
  let controller!: ReadableStreamDefaultController<T>;
  let reason: unknown = "not cancelled";
  const readable = new ReadableStream<T>({
    start: (given) => void (controller = given),
    cancel: (given) => void (reason = given),
  });
  return { readable, controller, cancelled: () => reason };
}

describe("web streams", () => {
  test("fromReadableStream: the bytes, then the end", async () => {
    const stream = fromReadableStream(new Blob(["Hello, ", "world"]).stream());
    assert.equal(await readAll(stream), "Hello, world");
    await assert.rejects(stream.receive(), EndOfStream);
  });

  test("fromReadableStream: a cancelled receive loses nothing; close cancels the web stream", async () => {
    const { readable, controller, cancelled } = handFed<Uint8Array>();
    const stream = fromReadableStream(readable);
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      group.startSoon(() => scope.run(() => stream.receive()));
      await waitAllTasksBlocked();
      scope.cancel();
    });
    controller.enqueue(bytes("late"));
    assert.equal(text(await stream.receive()), "late");
    stream.close();
    await assert.rejects(stream.receive(), ClosedResourceError);
    assert.equal(cancelled(), undefined);
  });

  test("fromReadableStream: a failure of the web stream is the cause of a BrokenResourceError", async () => {
    const { readable, controller } = handFed<Uint8Array>();
    const stream = fromReadableStream(readable);
    controller.enqueue(bytes("before"));
    assert.equal(text(await stream.receive()), "before");
    const failure = new RangeError("no more");
    controller.error(failure);
    await assert.rejects(stream.receive(), (error: Error) => {
      assert.ok(error instanceof BrokenResourceError);
      assert.equal((error.cause as Error).cause, failure);
      return true;
    });
  });

  test("fromReadableStream: what is no bytes breaks the stream and says what came", async () => {
    const { readable, controller } = handFed<Uint8Array>();
    const stream = fromReadableStream(readable);
    controller.enqueue("text" as never);
    await assert.rejects(stream.receive(), /"text", needs Uint8Arrays/);
  });

  test("fromReadableStream and others: no web stream, or a locked one, is refused", () => {
    const { readable } = handFed<Uint8Array>();
    readable.getReader();
    assert.throws(() => fromReadableStream(readable), /locked/);
    assert.throws(() => fromReadableStream("x" as never), /"x", needs a ReadableStream/);
    assert.throws(() => fromWritableStream(null as never), /needs a WritableStream/);
  });

  test("fromStreamPair: if one of the two is refused, the other is left unlocked", () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    writable.getWriter();
    assert.throws(() => fromStreamPair({ readable, writable }), /WritableStream is locked/);
    assert.equal(readable.locked, false);
    assert.throws(() => fromStreamPair(undefined as never), /needs an object such as/);
  });

  test("fromWritableStream: send waits for the sink; close closes it after what was sent", async () => {
    const log: string[] = [];
    let release = (): void => {};
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) =>
        new Promise((resolve) => {
          log.push(text(chunk));
          release = resolve;
        }),
      close: () => void log.push("closed"),
    });
    const stream = fromWritableStream(writable);
    await taskGroup(async (group) => {
      const sending = group.startSoon(() => stream.send(bytes("a")));
      await waitAllTasksBlocked();
      assert.equal(sending.status, "pending");
      release();
    });
    stream.close();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert.deepEqual(log, ["a", "closed"]);
  });

  test("fromWritableStream: a send cut in the middle aborts the web stream when it is closed", async () => {
    const log: string[] = [];
    const stream = fromWritableStream(
      new WritableStream<Uint8Array>({
        write: () => new Promise(() => {}),
        abort: () => void log.push("aborted"),
      }),
    );
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      group.startSoon(() => scope.run(() => stream.send(bytes("a"))));
      await waitAllTasksBlocked();
      scope.cancel();
    });
    await assert.rejects(stream.send(bytes("b")), BrokenResourceError);
    stream.close();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert.ok(!log.includes("closed"));
  });

  test("toReadableStream: nothing is received before it is read; cancelling closes the stream", async () => {
    let pulled = 0;
    const stream = itemsFromIterable(
      (function* () {
        for (;;) yield (pulled += 1);
      })(),
    );
    const reader = itemsToReadableStream(stream).getReader();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert.equal(pulled, 0);
    assert.deepEqual(await reader.read(), { done: false, value: 1 });
    await reader.cancel();
    await assert.rejects(stream.receive(), ClosedResourceError);
  });

  test("toReadableStream: a Response reads it, also with its own buffers", async () => {
    const source = (): Iterable<Uint8Array> => ["He", "llo"].map(bytes);
    assert.equal(await new Response(toReadableStream(fromIterable(source()))).text(), "Hello");
    const reader = toReadableStream(fromIterable(source())).getReader({ mode: "byob" });
    let all = "";
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(1));
      if (done) break;
      all += text(value);
    }
    assert.equal(all, "Hello");
  });

  test("toReadableStream: a failure is the web stream's failure", async () => {
    const stream = toReadableStream(
      fromIterable(
        // eslint-disable-next-line require-yield
        (function* (): Generator<Uint8Array> {
          throw new RangeError("source failed");
        })(),
      ),
    );
    await assert.rejects(new Response(stream).text(), /source failed/);
  });

  test("there and back: a byte stream through a pair of web streams is a byte stream", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const stream = fromStreamPair({ readable, writable });
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        for (const letter of "abc") await stream.send(bytes(letter));
        await stream.sendEof();
      });
      assert.equal(await readAll(stream), "abc");
    });
  });

  test("itemsToWritableStream: items are sent, closing closes", async () => {
    const [sender, receiver] = createChannel<number>(10);
    const writer = itemsToWritableStream(sender).getWriter();
    await writer.write(1);
    await writer.write(2);
    await writer.close();
    assert.deepEqual(await Array.fromAsync(receiver), [1, 2]);
  });

  test("itemsFromReadableStream: a cancelled receive loses no item", async () => {
    const { readable, controller } = handFed<string>();
    const stream = itemsFromReadableStream(readable);
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      group.startSoon(() => scope.run<unknown>(() => stream.receive()));
      await waitAllTasksBlocked();
      scope.cancel();
    });
    controller.enqueue("one");
    controller.enqueue("two");
    controller.close();
    assert.deepEqual(await Array.fromAsync(stream), ["one", "two"]);
    await assert.rejects(stream.receive(), EndOfStream);
  });
});

describe("both directions of a byte stream", () => {
  test("toStreamPair and toWritableStream: closing the writable ends the sending half", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const pair = toStreamPair(fromStreamPair({ readable, writable }));
    const writer = pair.writable.getWriter();
    const [all] = await Promise.all([
      new Response(pair.readable).text(),
      writer.write(bytes("abc")).then(() => writer.close()),
    ]);
    assert.equal(all, "abc");
    const log: string[] = [];
    const sink = toWritableStream({
      send: async (chunk) => void log.push(text(chunk)),
      close: () => void log.push("closed"),
      [Symbol.dispose]() {},
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }).getWriter();
    await sink.write(bytes("x"));
    await sink.close();
    assert.deepEqual(log, ["x", "closed"]);
  });
});

describe("what comes to nothing does not look whole", () => {
  /** A sink that takes nothing before `open`. */
  function slowSink(): { writable: WritableStream<Uint8Array>; told: string[]; open: () => void } {
    const told: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const writable = new WritableStream<Uint8Array>({
      write: () => gate,
      close: () => void told.push("closed"),
      abort: () => void told.push("aborted"),
    });
    return { writable, told, open };
  }

  test("fromStreamPair: closed after its source failed, during a send or not, it aborts the sink", async () => {
    for (const count of [0, 200_000]) {
      const { writable, told, open } = slowSink();
      let fail = (): void => {};
      const readable = new ReadableStream<Uint8Array>({
        start: (controller) => void (fail = () => controller.error(new Error("gone"))),
      });
      const stream = fromStreamPair({ readable, writable });
      await taskGroup(async (group) => {
        if (count > 0)
          group.startSoon(() =>
            assert.rejects(stream.send(new Uint8Array(count)), BrokenResourceError),
          );
        await waitAllTasksBlocked();
        group.startSoon(() => assert.rejects(stream.receive(), BrokenResourceError));
        await waitAllTasksBlocked();
        fail();
      });
      stream.close();
      open();
      await sleep(5);
      assert.deepEqual(told, ["aborted"]);
    }
  });

  test("fromStreamPair: abort after sendEof reaches a sink that is not done", async () => {
    let isAborted = (): boolean => false;
    const writable = new WritableStream<Uint8Array>({
      start: ({ signal }) => void (isAborted = () => signal.aborted),
      close: () => new Promise(() => {}),
    });
    const stream = fromStreamPair({ readable: new ReadableStream<Uint8Array>(), writable });
    await stream.sendEof();
    assert.equal(isAborted(), false);
    stream.abort?.();
    assert.equal(isAborted(), true);
  });

  test("toWritableStream: abort does not wait for a write that the other side does not take", async () => {
    const [near, far] = createMemoryStreamPair({ capacity: 10 });
    const writer = toWritableStream(near).getWriter();
    const writing = assert.rejects(writer.write(new Uint8Array(100)));
    const closed = assert.rejects(writer.closed);
    await sleep(1);
    await writer.abort(new Error("enough"));
    await Promise.all([writing, closed]);
    assert.equal((await far.receive()).length, 100);
    await assert.rejects(far.receive(), BrokenResourceError);
  });
});

describe("byte stream conformance", () => {
  byteStreamConformance(test, {
    name: "fromStreamPair",
    makePair() {
      const there = new TransformStream<Uint8Array, Uint8Array>();
      const back = new TransformStream<Uint8Array, Uint8Array>();
      return [
        fromStreamPair({ readable: back.readable, writable: there.writable }),
        fromStreamPair({ readable: there.readable, writable: back.writable }),
      ];
    },
    bufferedBytesMax: 1024 * 1024,
  });
});
