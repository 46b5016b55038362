import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
} from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { BufferedByteReceiveStream, BufferedByteStream } from "./buffered-byte-stream.ts";
import { DelimiterNotFoundError, IncompleteReadError, TextDecodingError } from "./errors.ts";
import { createMemoryPipe, type MemorySendStream } from "./memory-pipe.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";

const test = onEveryBackend(nodeTest);
const encoder = new TextEncoder();
const CRLF = bytesOf("\r\n");

function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A stream on which `chunks` have been sent, each as a chunk of its own, as far as they are received one by one. */
async function received(
  ...chunks: string[]
): Promise<{ stream: BufferedByteReceiveStream; sender: MemorySendStream }> {
  const [sender, receiver] = createMemoryPipe({ held: true });
  for (const chunk of chunks) await sender.send(bytesOf(chunk));
  return { stream: new BufferedByteReceiveStream(receiver), sender };
}

test("receiveExactly: takes so many bytes from one chunk or several, and leaves the rest", async () => {
  const { stream, sender } = await received("abcdef", "gh", "ij");
  sender.pump();
  assert.equal(textOf(await stream.receiveExactly(4)), "abcd");
  assert.equal(textOf(await stream.receiveExactly(0)), "");
  assert.equal(textOf(await stream.receiveExactly(5)), "efghi");
  assert.equal(textOf(await stream.receive()), "j");
});

test("receiveExactly: waits for what is missing", async (group) => {
  const { stream, sender } = await received("abcdef");
  sender.pump(2);
  let whole = "";
  group.startSoon(async () => {
    whole = textOf(await stream.receiveExactly(5));
  });
  for (const more of [1, 1, 1]) {
    await waitAllTasksBlocked();
    assert.equal(whole, "");
    sender.pump(more);
  }
  await waitAllTasksBlocked();
  assert.equal(whole, "abcde");
});

test("receiveExactly: an end before is IncompleteReadError, and the bytes stay in the buffer", async () => {
  const { stream, sender } = await received("abc");
  sender.pump();
  sender.close();
  for (let again = 0; again < 2; again++) {
    await assert.rejects(stream.receiveExactly(4), (error: unknown) => {
      assert.ok(error instanceof IncompleteReadError);
      assert.deepEqual(
        [error.receivedBytes, error.neededBytes, error.code],
        [3, 4, "ARBORIO_INCOMPLETE_READ"],
      );
      assert.match(error.message, /after 3 bytes, needs 4/);
      return true;
    });
    assert.equal(textOf(stream.buffer), "abc");
  }
  assert.equal(textOf(await stream.receiveExactly(3)), "abc");
  await assert.rejects(stream.receiveExactly(1), IncompleteReadError);
  await assert.rejects(stream.receive(), EndOfStream);
});

test("receiveExactly: a failure of the stream leaves the bytes in the buffer", async () => {
  const [left, right] = createMemoryStreamPair({ held: true });
  const stream = new BufferedByteStream(right);
  await left.send(bytesOf("abcdef"));
  left.pump(3);
  left.abort();
  await assert.rejects(stream.receiveExactly(4), BrokenResourceError);
  assert.equal(textOf(await stream.receiveExactly(3)), "abc");
});

test("receiveExactly: of something large, takes no more than the memory for it, in one piece", async (group) => {
  const { stream, sender } = await received();
  group.startSoon(async () => {
    for (let count = 0; count < 20; count++) {
      await sender.send(new Uint8Array(50_000).fill(count));
      sender.pump();
    }
  });
  const large = await stream.receiveExactly(880_000);
  assert.deepEqual([large.length, large.buffer.byteLength], [880_000, 880_000]);
  assert.deepEqual([large[0], large[49_999], large[50_000], large[879_999]], [0, 0, 1, 17]);
  assert.equal((await stream.receiveExactly(120_000)).at(-1), 19);
});

test("receiveUntil: drops the delimiter, wherever chunks end", async (group) => {
  const text = "one\r\n\r\ntw\ro\r\nthree\r\r\n";
  for (let size = 1; size <= text.length; size++) {
    const { stream, sender } = await received(text);
    const pumping = group.startSoon(async () => {
      while (sender.pump(size) > 0) await waitAllTasksBlocked();
    });
    for (const expected of ["one", "", "tw\ro", "three\r"])
      assert.equal(textOf(await stream.receiveUntil(CRLF, 100)), expected);
    await pumping.wait();
  }
});

test("receiveUntil: a delimiter that begins several times over is found at its first place", async () => {
  const { stream, sender } = await received("aaab-aabaaab");
  sender.pump();
  assert.equal(textOf(await stream.receiveUntil(bytesOf("aab"), 100)), "a");
  assert.equal(textOf(await stream.receiveUntil(bytesOf("aab"), 100)), "-");
  assert.equal(textOf(await stream.receiveUntil(bytesOf("aab"), 1)), "a");
});

test("receiveUntil: the limit holds to the byte, also if the delimiter lies behind it in the same chunk", async () => {
  const { stream, sender } = await received("abcdefgh\r\n");
  sender.pump();
  for (const limit of [0, 3, 7]) {
    await assert.rejects(stream.receiveUntil(CRLF, limit), (error: unknown) => {
      assert.ok(error instanceof DelimiterNotFoundError);
      assert.deepEqual([error.maxBytes, error.code], [limit, "ARBORIO_DELIMITER_NOT_FOUND"]);
      return true;
    });
    assert.equal(stream.bufferedBytes, 10);
  }
  assert.equal(textOf(await stream.receiveUntil(CRLF, 8)), "abcdefgh");
});

test("receiveUntil: fails as soon as it is certain, and not before", async (group) => {
  const { stream, sender } = await received("abc\rd");
  sender.pump(4);
  const reading = group.startSoon(() =>
    assert.rejects(stream.receiveUntil(CRLF, 3), DelimiterNotFoundError),
  );
  await waitAllTasksBlocked();
  assert.equal(reading.status, "pending", "the CR may be followed by LF");
  sender.pump(1);
  await reading.wait();
  assert.equal(textOf(stream.buffer), "abc\rd");
  sender.close();
  await assert.rejects(stream.receiveUntil(CRLF, 9), (error: unknown) => {
    assert.ok(error instanceof IncompleteReadError);
    assert.deepEqual([error.receivedBytes, error.neededBytes], [5, undefined]);
    return true;
  });
  assert.equal(textOf(await stream.receive()), "abc\rd");
});

test("receiveUntil, receiveLine: look at no byte twice, however small the chunks are", async (group) => {
  const reads: ((stream: BufferedByteReceiveStream) => Promise<Uint8Array | string>)[] = [
    (stream) => stream.receiveUntil(CRLF, Infinity),
    (stream) => stream.receiveLine({ maxBytes: Infinity }),
  ];
  for (const read of reads) {
    const looks = countingLooks();
    try {
      const [sender, receiver] = createMemoryPipe({ held: true });
      await sender.send(bytesOf(`${"x".repeat(2_000)}\r\n`));
      const reading = group.startSoon(() => read(new BufferedByteReceiveStream(receiver)));
      while (sender.pump(1) > 0) await waitAllTasksBlocked();
      assert.equal((await reading.result()).length, 2_000);
    } finally {
      looks.stop();
    }
    assert.ok(looks.bytes < 20_000, `searched ${looks.bytes} bytes for a delimiter after 2,000`);
  }
});

/** Counts the bytes that `indexOf` goes over. */
function countingLooks(): { bytes: number; stop: () => void } {
  const prototype = Uint8Array.prototype as { indexOf: (byte: number, from?: number) => number };
  const original = prototype.indexOf;
  const looks = { bytes: 0, stop: () => void (prototype.indexOf = original) };
  prototype.indexOf = function (this: Uint8Array, byte, from = 0) {
    const index = original.call(this, byte, from);
    looks.bytes += (index < 0 ? this.length : index) - from;
    return index;
  };
  return looks;
}

test("receiveLine: lines end with LF or CR LF; a CR alone is a character; a byte order mark stays", async () => {
  const { stream, sender } = await received("\uFEFFeins\nzw\rei\r\n\n\r\n\r\r\nföünf\n");
  sender.pump();
  for (const expected of ["\uFEFFeins", "zw\rei", "", "", "\r", "föünf"])
    assert.equal(await stream.receiveLine({ maxBytes: 10 }), expected);
});

test("receiveLine: what comes after the last line end is a line, unless endRequired; then EndOfStream", async () => {
  const { stream, sender } = await received("one\ntwo\r");
  sender.pump();
  sender.close();
  assert.equal(await stream.receiveLine({ maxBytes: 10 }), "one");
  await assert.rejects(
    stream.receiveLine({ maxBytes: 10, endRequired: true }),
    IncompleteReadError,
  );
  assert.equal(await stream.receiveLine({ maxBytes: 10 }), "two\r");
  for (const endRequired of [true, false, false])
    await assert.rejects(stream.receiveLine({ maxBytes: 10, endRequired }), EndOfStream);
});

test("receiveLine: the limit counts the line without its end", async () => {
  const line = { maxBytes: 4 };
  for (const text of ["1234\n", "1234\r\n", "123\r\r\n"]) {
    const { stream, sender } = await received(text);
    sender.pump(5);
    stream.feed(await stream.receive());
    sender.pump();
    assert.equal(await stream.receiveLine(line), text.replace(/\r?\n$/, ""));
  }
  for (const text of ["12345\n", "12345\r\n", "1234\r\r\n", "12345", "1234\rx"]) {
    const { stream, sender } = await received(text);
    sender.pump();
    await assert.rejects(stream.receiveLine(line), DelimiterNotFoundError, text);
    assert.equal(textOf(stream.buffer), text);
  }
});

test("receiveLine: malformed text is TextDecodingError, tells the place, and stays in the buffer", async () => {
  const { stream, sender } = await received();
  await sender.send(Uint8Array.of(0x61, 0xff, 0x62, 10, 0x63, 10));
  sender.pump();
  await assert.rejects(stream.receiveLine({ maxBytes: 10 }), (error: unknown) => {
    assert.ok(error instanceof TextDecodingError);
    assert.deepEqual([error.encoding, error.code], ["utf-8", "ARBORIO_TEXT_DECODING"]);
    assert.match(error.message, /malformed utf-8 at its byte 1/);
    return true;
  });
  assert.equal(await stream.receiveLine({ maxBytes: 10, encoding: "latin1" }), "aÿb");
  assert.equal(
    await stream.receiveLine({ maxBytes: 10 }),
    "c",
    "the decoder has survived the error",
  );
});

test("unread, feed: before and behind what is there, copied", async () => {
  const { stream, sender } = await received("cd");
  const own = bytesOf("xy");
  stream.feed(own);
  own.fill(0);
  stream.feed(bytesOf("z"));
  stream.unread(bytesOf("w"));
  stream.feed(new Uint8Array(0));
  stream.unread(new Uint8Array(0));
  assert.deepEqual([stream.bufferedBytes, textOf(stream.buffer)], [4, "wxyz"]);
  assert.equal(textOf(await stream.receive(3)), "wxy");
  const view = new Uint8Array(5);
  assert.equal(await stream.receiveInto(view), 1);
  assert.equal(textOf(view.subarray(0, 1)), "z");
  sender.pump();
  assert.equal(textOf(await stream.receive()), "cd");
});

test("for await: first the buffer, then the chunks of the stream, until it ends", async () => {
  const { stream, sender } = await received("cd");
  stream.feed(bytesOf("ab"));
  sender.pump();
  sender.close();
  let text = "";
  for await (const chunk of stream) text += textOf(chunk);
  assert.equal(text, "abcd");
  for await (const _chunk of stream) assert.fail("a chunk after the end");
});

test("Buffered: a second receiver gets BusyResourceError, whichever operation the first is in", async (group) => {
  const operations = {
    receive: (stream: BufferedByteReceiveStream) => stream.receive(),
    receiveInto: (stream: BufferedByteReceiveStream) => stream.receiveInto(new Uint8Array(1)),
    receiveExactly: (stream: BufferedByteReceiveStream) => stream.receiveExactly(1),
    receiveUntil: (stream: BufferedByteReceiveStream) => stream.receiveUntil(CRLF, 10),
    receiveLine: (stream: BufferedByteReceiveStream) => stream.receiveLine({ maxBytes: 10 }),
    next: (stream: BufferedByteReceiveStream) => stream[Symbol.asyncIterator]().next(),
  };
  for (const first of Object.values(operations)) {
    const { stream, sender } = await received("a\r\n");
    const receiving = group.startSoon(() => first(stream) as Promise<unknown>);
    await waitAllTasksBlocked();
    for (const second of Object.values(operations))
      await assert.rejects(second(stream) as Promise<unknown>, BusyResourceError);
    sender.pump();
    assert.notEqual(await receiving.result(), undefined, "the first was not disturbed");
  }
  const { stream, sender } = await received("ab");
  const receiving = group.startSoon(() => stream.receiveExactly(2));
  await waitAllTasksBlocked();
  assert.throws(() => stream.unread(bytesOf("x")), BusyResourceError);
  assert.throws(() => stream.feed(bytesOf("x")), BusyResourceError);
  sender.pump();
  await receiving.wait();
});

test("Buffered.close: closes the stream below; everything is ClosedResourceError, also what waits; the buffer is gone", async (group) => {
  const [left, right] = createMemoryStreamPair();
  const stream = new BufferedByteStream(left);
  stream.feed(bytesOf("abc"));
  const waiting = group.startSoon(() =>
    assert.rejects(stream.receiveExactly(10), ClosedResourceError),
  );
  await waitAllTasksBlocked();
  stream.close();
  stream.close();
  await waiting.wait();
  for (const operation of [
    () => stream.receive(),
    () => stream.receiveInto(new Uint8Array(1)),
    () => stream[Symbol.asyncIterator]().next(),
    () => stream.receiveExactly(0),
    () => stream.receiveUntil(CRLF, 1),
    () => stream.receiveLine({ maxBytes: 1 }),
    () => stream.send(bytesOf("a")),
    () => stream.sendEof(),
  ])
    await assert.rejects(operation() as Promise<unknown>, ClosedResourceError);
  assert.throws(() => stream.feed(bytesOf("a")), ClosedResourceError);
  assert.throws(() => stream.unread(bytesOf("a")), ClosedResourceError);
  assert.equal(stream.bufferedBytes, 0);
  await assert.rejects(right.receive(), EndOfStream);
});

test("Buffered: every operation is a checkpoint, also when the buffer has all; cancelled before, it took nothing", async () => {
  const { stream } = await received();
  stream.feed(bytesOf("ab\nab\nab\nab\nab\nab\n"));
  const LF = bytesOf("\n");
  const operations = [
    () => stream.receive(3),
    () => stream.receiveInto(new Uint8Array(3)),
    () => stream.receiveExactly(3),
    () => stream.receiveUntil(LF, 3),
    () => stream.receiveLine({ maxBytes: 3 }),
    () => stream[Symbol.asyncIterator]().next(),
  ];
  const cancelled = new CancelScope();
  cancelled.cancel();
  for (const operation of operations) {
    const before = stream.bufferedBytes;
    await new CancelScope().run(async (scope) => {
      scope.cancel();
      await (operation() as Promise<unknown>);
      assert.fail("it did not throw");
    });
    assert.equal(stream.bufferedBytes, before);
    await assertCheckpoints<unknown>(operation);
    assert.notEqual(stream.bufferedBytes, before);
  }
});

test("Buffered: wrong arguments are refused, in clear words, and change nothing", async () => {
  const { stream } = await received();
  stream.feed(bytesOf("ab\n"));
  const wrong: readonly (readonly [() => Promise<unknown>, typeof TypeError, RegExp])[] = [
    [() => stream.receive(0), RangeError, /receive: got 0, needs a whole number, at least 1/],
    [() => stream.receive(Infinity), RangeError, /receive: got Infinity/],
    [() => stream.receiveInto(new Uint8Array(0)), RangeError, /receiveInto: got a view of 0 bytes/],
    [() => stream.receiveExactly(-1), RangeError, /receiveExactly: got -1/],
    [() => stream.receiveExactly("1" as never), TypeError, /receiveExactly: got "1"/],
    [() => stream.receiveUntil("\n" as never, 1), TypeError, /needs a Uint8Array: new TextEncoder/],
    [() => stream.receiveUntil(new Uint8Array(0), 1), RangeError, /delimiter\): got a view of 0/],
    [() => stream.receiveUntil(CRLF, Number.NaN), RangeError, /maxBytes\): got NaN/],
    [() => stream.receiveLine(undefined as never), TypeError, /needs an object such as { maxBytes/],
    [() => stream.receiveLine({} as never), TypeError, /maxBytes }\): got undefined/],
    [() => stream.receiveLine({ maxBytes: 1, encoding: "klingon" }), RangeError, /got "klingon"/],
    [() => stream.receiveLine({ maxBytes: 1, encoding: 8 as never }), TypeError, /got 8, needs a/],
    [() => stream.receiveLine({ maxBytes: 1, encoding: "utf-16le" }), RangeError, /UTF-16/],
  ];
  for (const [operation, errorClass, message] of wrong)
    await assert.rejects(operation(), (error: Error) => {
      assert.equal(error.constructor, errorClass, error.message);
      assert.match(error.message, message);
      return true;
    });
  assert.throws(() => stream.feed("a" as never), TypeError);
  assert.equal(textOf(stream.buffer), "ab\n");
});
