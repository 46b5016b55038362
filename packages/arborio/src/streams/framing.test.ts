/** Frames and lines: what is sent, what is refused, and what is left when a call is cancelled. */
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
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import type { ByteReceiveStream, ByteStream, ObjectStream } from "./byte-stream.ts";
import { DelimiterNotFoundError, FrameTooLargeError, IncompleteReadError } from "./errors.ts";
import {
  LengthPrefixedStream,
  type LengthPrefixedStreamOptions,
} from "./length-prefixed-stream.ts";
import { LineStream, type LineStreamOptions } from "./line-stream.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";

const test = onEveryBackend(nodeTest);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function receiveAll(stream: ByteReceiveStream): Promise<number[]> {
  const all: number[] = [];
  for await (const chunk of stream) all.push(...chunk);
  return all;
}

/** What both have in common. */
const KINDS: readonly {
  readonly open: (stream: ByteStream) => ObjectStream<unknown> & AsyncDisposable;
  readonly item: (text: string) => unknown;
}[] = [
  {
    open: (stream) => new LengthPrefixedStream(stream),
    item: (text) => new TextEncoder().encode(text),
  },
  { open: (stream) => new LineStream(stream), item: (text) => text },
];

test("LengthPrefixedStream.send: puts the length before the frame, in its order", async () => {
  const cases: readonly (readonly [LengthPrefixedStreamOptions, readonly number[]])[] = [
    [{}, [0, 0, 0, 3]],
    [{ lengthBytes: 1 }, [3]],
    [{ lengthBytes: 2 }, [0, 3]],
    [{ lengthBytes: 2, byteOrder: "little" }, [3, 0]],
    [{ byteOrder: "little" }, [3, 0, 0, 0]],
    [{ lengthBytes: 8 }, [0, 0, 0, 0, 0, 0, 0, 3]],
  ];
  for (const [options, length] of cases) {
    const [left, right] = createMemoryStreamPair();
    const stream = new LengthPrefixedStream(left, options);
    await assertCheckpoints(() => stream.send(bytes(7, 8, 9)));
    await stream.sendEof();
    assert.deepEqual(await receiveAll(right), [...length, 7, 8, 9]);
  }
  const [left, right] = createMemoryStreamPair();
  await new LengthPrefixedStream(left, { lengthBytes: 2 }).send(new Uint8Array(0x1234));
  assert.deepEqual([...(await right.receive(2))], [0x12, 0x34]);
});

test("LengthPrefixedStream.receive: a frame above the limit is refused before memory is taken, now and again", async () => {
  const cases: readonly (readonly [LengthPrefixedStreamOptions, readonly number[], number])[] = [
    [{ maxBytes: 10 }, [0, 0, 0, 11], 11],
    [{}, [0xff, 0xff, 0xff, 0xff], 0xffff_ffff],
    [{ lengthBytes: 8 }, [0xff, 0, 0, 0, 0, 0, 0, 0], 0xff * 2 ** 56],
    [{ lengthBytes: 8, byteOrder: "little" }, [1, 0, 0, 0, 0, 0, 0x20, 0], 2 ** 53],
  ];
  for (const [options, length, frameBytes] of cases) {
    const [left, right] = createMemoryStreamPair();
    const stream = new LengthPrefixedStream(right, options);
    await left.send(bytes(...length));
    for (let again = 0; again < 2; again++) {
      await assert.rejects(stream.receive(), (error: unknown) => {
        assert.ok(error instanceof FrameTooLargeError);
        assert.equal(error.frameBytes, frameBytes);
        assert.equal(error.maxBytes, options.maxBytes ?? 1_048_576);
        return true;
      });
    }
  }
});

test("LengthPrefixedStream.send: a frame above the limit is refused, and nothing is sent", async () => {
  const [left, right] = createMemoryStreamPair();
  const stream = new LengthPrefixedStream(left, { maxBytes: 3 });
  await assert.rejects(stream.send(new Uint8Array(4)), /got a frame of 4 bytes, needs at most 3/);
  await assert.rejects(stream.send("abc" as never), TypeError);
  const short = new LengthPrefixedStream(left, { lengthBytes: 1 });
  await assert.rejects(short.send(new Uint8Array(256)), RangeError);
  await stream.sendEof();
  assert.deepEqual(await receiveAll(right), []);
});

test("LengthPrefixedStream: wrong options are refused", () => {
  const [left] = createMemoryStreamPair();
  for (const options of [
    { lengthBytes: 3 },
    { byteOrder: "middle" },
    { maxBytes: -1 },
    { maxBytes: Infinity },
    { lengthBytes: 1, maxBytes: 256 },
    { lengthBytes: 8, maxBytes: 2 ** 60 },
  ])
    assert.throws(() => new LengthPrefixedStream(left, options as never), RangeError);
  assert.throws(() => new LengthPrefixedStream(left, { maxBytes: "1" as never }), TypeError);
  assert.throws(
    () => new LengthPrefixedStream(left, { lengthBytes: 1, maxBytes: 256 }),
    /needs at most 255/,
  );
});

test("LengthPrefixedStream: a large frame is received in memory of its own size", async (group) => {
  const [left, right] = createMemoryStreamPair();
  const sender = new LengthPrefixedStream(left);
  const receiver = new LengthPrefixedStream(right);
  group.startSoon(async () => {
    await sender.send(new Uint8Array(500_000).fill(1));
    await sender.send(bytes());
    await sender.send(bytes(2));
    await sender.sendEof();
  });
  const large = await receiver.receive();
  assert.deepEqual([large.length, large[499_999]], [500_000, 1]);
  assert.ok(large.buffer.byteLength <= 500_004);
  assert.deepEqual([...(await receiver.receive())], []);
  const rest: number[][] = [];
  for await (const frame of receiver) rest.push([...frame]);
  assert.deepEqual(rest, [[2]]);
  await assert.rejects(receiver.receive(), EndOfStream);
});

test("LengthPrefixedStream: a frame that the end cuts is IncompleteReadError, for iterations too", async () => {
  for (const [sent, needed] of [
    [[0, 0], 4],
    [[0, 0, 0, 5, 1, 2], 9],
  ] as const) {
    const [left, right] = createMemoryStreamPair();
    await left.send(bytes(...sent));
    await left.sendEof();
    const stream = new LengthPrefixedStream(right);
    for (const receive of [() => stream.receive(), () => stream[Symbol.asyncIterator]().next()])
      await assert.rejects(receive() as Promise<unknown>, (error: unknown) => {
        assert.ok(error instanceof IncompleteReadError);
        assert.deepEqual([error.receivedBytes, error.neededBytes], [sent.length, needed]);
        return true;
      });
  }
});

test("LengthPrefixedStream, LineStream: a cancelled receive lost nothing; a send is whole, or breaks the sending half", async (group) => {
  for (const { open, item } of KINDS) {
    await cancelEverywhere(async (round) => {
      const [left, right] = createMemoryStreamPair({ capacity: 3 });
      const sender = open(left);
      const receiver = open(right);
      let sent = 0;
      let received = 0;
      round.after(() =>
        group.startSoon(async () => {
          const last = group.startSoon(() =>
            sender.send(item("last")).then(
              () => "sent",
              () => "broken",
            ),
          );
          let ending = "";
          while (ending === "") {
            const scope = new CancelScope();
            group.startSoon(async () => {
              await waitAllTasksBlocked();
              scope.cancel();
            });
            const next = await scope.run(() => receiver.receive());
            if (next === undefined) ending = "nothing more";
            else received += 1;
          }
          if ((await last.result()) === "sent") assert.equal(received, sent + 1);
          else assert.ok(received === sent || received === sent + 1);
        }),
      );
      await taskGroup(async (inner) => {
        inner.startSoon(async () => {
          for (let turn = 0; turn < 3; turn++) {
            await sender.send(item(`number ${turn}`));
            sent += 1;
          }
        });
        for (; received < 3; received++)
          assert.deepEqual(await receiver.receive(), item(`number ${received}`));
      });
    });
  }
});

test("LengthPrefixedStream, LineStream: a send cut in the middle breaks the sending half", async () => {
  const [left] = createMemoryStreamPair({ capacity: 2 });
  for (const send of [
    (value: string) => new LineStream(left).send(value),
    (value: string) => new LengthPrefixedStream(left).send(new TextEncoder().encode(value)),
  ]) {
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      group.startSoon(() => scope.run(() => send("abcdef")).catch(() => {}));
      await waitAllTasksBlocked();
      scope.cancel();
    });
    await assert.rejects(send("next"), BrokenResourceError);
  }
});

test("LineStream.send: adds the line end; several lines, too long ones and foreign characters are refused", async () => {
  const cases: readonly (readonly [LineStreamOptions, string, string])[] = [
    [{}, "naïve", "naïve\n"],
    [{ lineEnd: "\r\n" }, "", "\r\n"],
    [{ maxBytes: 6 }, "naïve", "naïve\n"],
  ];
  for (const [options, line, expected] of cases) {
    const [left, right] = createMemoryStreamPair();
    const stream = new LineStream(left, options);
    await assertCheckpoints(() => stream.send(line));
    assert.equal(new TextDecoder().decode(await right.receive()), expected);
  }
  const [left, right] = createMemoryStreamPair();
  const stream = new LineStream(left, { maxBytes: 5 });
  await assert.rejects(stream.send("a\nb"), /got a line with "\\n" at index 1, needs one line/);
  await assert.rejects(stream.send("a\r"), /got a line with "\\r" at index 1/);
  await assert.rejects(stream.send("naïve"), /got a line of 6 bytes, needs at most 5/);
  await assert.rejects(stream.send("naiveté"), /got a line of 7 characters, needs at most 5/);
  await assert.rejects(stream.send("\uD83D"), RangeError);
  await assert.rejects(stream.send(5 as never), TypeError);
  const latin = new LineStream(left, { encoding: "latin1" });
  await assert.rejects(latin.send("ж"), RangeError);
  await latin.send("ï");
  left.close();
  assert.deepEqual(await receiveAll(right), [0xef, 10]);
});

test("LineStream.receive: lines, the limit, the cut last line, and iteration", async () => {
  const [left, right] = createMemoryStreamPair();
  await left.send(new TextEncoder().encode("one\r\ntwo\nthree\nfo"));
  await left.sendEof();
  const stream = new LineStream(right, { maxBytes: 4 });
  assert.deepEqual([await stream.receive(), await stream.receive()], ["one", "two"]);
  for (let again = 0; again < 2; again++)
    await assert.rejects(stream.receive(), DelimiterNotFoundError);

  const open = async (options?: LineStreamOptions): Promise<LineStream> => {
    const [near, far] = createMemoryStreamPair();
    await near.send(new TextEncoder().encode("one\ntwo"));
    await near.sendEof();
    return new LineStream(far, options);
  };
  const strict = await open();
  assert.equal(await strict.receive(), "one");
  await assert.rejects(strict.receive(), IncompleteReadError);
  const lines: string[] = [];
  for await (const line of await open({ endRequired: false })) lines.push(line);
  assert.deepEqual(lines, ["one", "two"]);
});

test("LineStream: wrong options are refused", () => {
  const [left] = createMemoryStreamPair();
  for (const options of [
    { maxBytes: -1 },
    { encoding: "utf-16" },
    { encoding: "big5" },
    { lineEnd: "\r" },
  ])
    assert.throws(() => new LineStream(left, options as never), RangeError);
  for (const options of [{ maxBytes: "1" }, { encoding: 5 }, { endRequired: 1 }])
    assert.throws(() => new LineStream(left, options as never), TypeError);
});

test("LengthPrefixedStream, LineStream: one receiver at a time; closing ends what waits, and the stream below", async (group) => {
  for (const { open } of KINDS) {
    const [left, right] = createMemoryStreamPair();
    const stream = open(left);
    const waiting = group.startSoon(() => assert.rejects(stream.receive(), ClosedResourceError));
    await waitAllTasksBlocked();
    await assert.rejects(stream.receive(), BusyResourceError);
    stream.close();
    await waiting.wait();
    await assert.rejects(stream.receive(), ClosedResourceError);
    await assert.rejects(stream.send("" as never), /ClosedResourceError|TypeError/);
    await assert.rejects(stream.sendEof(), ClosedResourceError);
    await assert.rejects(right.receive(), EndOfStream);
    {
      await using _other = open(right);
    }
    await assert.rejects(right.receive(), ClosedResourceError);
  }
});
