import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { BusyResourceError, ClosedResourceError, EndOfStream } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { taskGroup } from "../core/task-group.ts";
import { shielded } from "../sync/shield.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { TextDecodingError } from "./errors.ts";
import { HookedByteStream } from "./hooked-byte-stream.ts";
import { createMemoryPipe } from "./memory-pipe.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";
import {
  TextReceiveStream,
  type TextReceiveStreamOptions,
  TextSendStream,
  TextStream,
} from "./text-stream.ts";

const test = onEveryBackend(nodeTest);

/** What comes out of chunks of `size` bytes, one after another, and the error at the end if it is not the usual one. */
async function pieces(
  bytes: ArrayLike<number>,
  size: number,
  options?: TextReceiveStreamOptions,
): Promise<(string | Error)[]> {
  const [left, right] = createMemoryStreamPair();
  await left.send(Uint8Array.from(bytes));
  await left.sendEof();
  const stream = new TextReceiveStream(new HookedByteStream(right, { chunkBytes: size }), options);
  const result: (string | Error)[] = [];
  try {
    for (;;) result.push(await stream.receive());
  } catch (error) {
    if (!(error instanceof EndOfStream)) result.push(error as Error);
    return result;
  }
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test("TextReceiveStream: a character that comes in pieces is returned whole, nothing is returned empty", async () => {
  assert.deepEqual(await pieces(utf8("é€😀!"), 1), ["é", "€", "😀", "!"]);
  assert.deepEqual(await pieces(utf8("aé€b"), 2), ["a", "é", "€", "b"]);
  assert.deepEqual(await pieces(utf8("aé€b"), 100), ["aé€b"]);
});

test("TextReceiveStream: a character that the end cuts off is an error, not silence, and stays one", async () => {
  for (const size of [1, 100]) {
    const [text, error, ...more] = await pieces(utf8("a€").subarray(0, 3), size);
    assert.equal(text, "a");
    assert.ok(error instanceof TextDecodingError);
    assert.match(error.message, /end within a character of utf-8, after byte 3/);
    assert.deepEqual(more, []);
  }
  assert.deepEqual(await pieces(utf8("a€").subarray(0, 3), 1, { fatal: false }), ["a", "\uFFFD"]);
  const [sender, receiver] = createMemoryPipe();
  await sender.send(Uint8Array.of(0xe2));
  sender.close();
  const stream = new TextReceiveStream(receiver);
  for (let again = 0; again < 3; again++) await assert.rejects(stream.receive(), TextDecodingError);
  await assert.rejects(stream[Symbol.asyncIterator]().next(), TextDecodingError);
});

test("TextReceiveStream: what comes before malformed bytes is returned, then the error tells the place", async () => {
  const bytes = [...utf8("aé€"), 0xff, 0x62];
  for (const size of [1, 2, 3, 100]) {
    const all = await pieces(bytes, size);
    const error = all.pop();
    assert.equal(all.join(""), "aé€");
    assert.ok(error instanceof TextDecodingError);
    assert.match(error.message, /^TextReceiveStream: malformed utf-8 at byte 6: 0xff$/);
    assert.equal(error.encoding, "utf-8");
  }
  assert.deepEqual(await pieces(bytes, 100, { fatal: false }), ["aé€\uFFFDb"]);
});

test("TextReceiveStream: overlong forms, surrogates and what lies beyond U+10FFFF are malformed", async () => {
  for (const bad of [
    [0xc0, 0x80],
    [0xe0, 0x9f, 0xbf],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0x80],
    [0xe2, 0x82, 0x61],
  ]) {
    for (const size of [1, 100]) {
      const [text, error] = await pieces([0x61, ...bad, 0x61], size);
      assert.equal(text, "a");
      assert.match((error as Error).message, /malformed utf-8 at byte 1:/, String(bad));
    }
  }
});

test("TextReceiveStream: a byte order mark at the start is dropped, unless it is to be kept; another one is a character", async () => {
  const marked = utf8("\uFEFFa\uFEFFb");
  for (const size of [1, 3, 4, 100]) {
    assert.equal((await pieces(marked, size)).join(""), "a\uFEFFb");
    assert.equal(
      (await pieces(marked, size, { keepByteOrderMark: true })).join(""),
      "\uFEFFa\uFEFFb",
    );
  }
  const little = [0xff, 0xfe, 0x61, 0, 0xff, 0xfe];
  for (const size of [1, 2, 100])
    assert.equal((await pieces(little, size, { encoding: "utf-16le" })).join(""), "a\uFEFF");
  assert.deepEqual(await pieces(utf8("\uFEFF"), 1), []);
});

/** The same sentence in encodings that need state between chunks, and some that do not. */
const ENCODED: Readonly<Record<string, readonly number[]>> = {
  "utf-16le": [0x61, 0, 0x3d, 0xd8, 0, 0xde, 0x62, 0],
  "utf-16be": [0, 0x61, 0xd8, 0x3d, 0xde, 0, 0, 0x62],
  shift_jis: [0x61, 0x93, 0xfa, 0x96, 0x7b, 0x62],
  "euc-jp": [0x61, 0xc6, 0xfc, 0xcb, 0xdc, 0x62],
  gb18030: [0x61, 0xc8, 0xd5, 0x94, 0x39, 0xda, 0x33, 0x62],
  big5: [0x61, 0xa4, 0xe9, 0x62],
  "iso-2022-jp": [0x61, 0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42, 0x62],
  "windows-1252": [0x61, 0x80, 0xe9, 0x62],
};

test("TextReceiveStream: any chunks give the same text in other encodings too", async () => {
  for (const [encoding, bytes] of Object.entries(ENCODED)) {
    const whole = new TextDecoder(encoding, { fatal: true }).decode(Uint8Array.from(bytes));
    for (let size = 1; size <= bytes.length; size++)
      assert.equal(
        (await pieces(bytes, size, { encoding })).join(""),
        whole,
        `${encoding} by ${size}`,
      );
  }
});

test("TextReceiveStream: no byte of an encoding without a byte order mark is taken for one", async () => {
  for (const keepByteOrderMark of [true, false]) {
    for (const size of [1, 3]) {
      const got = await pieces([0xff, 0xfe, 0xff], size, { encoding: "latin1", keepByteOrderMark });
      assert.equal(got.join(""), "ÿþÿ");
    }
  }
});

test("TextReceiveStream: malformed bytes of other encodings are an error, and stay one", async () => {
  const [sender, receiver] = createMemoryPipe();
  await sender.send(Uint8Array.of(0x93, 0x20));
  const stream = new TextReceiveStream(receiver, { encoding: "shift_jis" });
  for (let again = 0; again < 2; again++)
    await assert.rejects(stream.receive(), /TextReceiveStream: malformed shift_jis in the 2 bytes/);
});

test("TextReceiveStream: one receiver at a time; close ends what waits", async (group) => {
  const [sender, receiver] = createMemoryPipe();
  const stream = new TextReceiveStream(receiver);
  const waiting = group.startSoon(() => assert.rejects(stream.receive(), ClosedResourceError));
  await waitAllTasksBlocked();
  await assert.rejects(stream.receive(), BusyResourceError);
  await assert.rejects(stream[Symbol.asyncIterator]().next(), BusyResourceError);
  stream.close();
  stream.close();
  await waiting.wait();
  await assert.rejects(stream.receive(), ClosedResourceError);
  await assert.rejects(stream[Symbol.asyncIterator]().next(), ClosedResourceError);
  await assert.rejects(sender.send(utf8("a")), { name: "BrokenResourceError" });
});

test("TextReceiveStream: between a chunk and the task that gets it, no other task can take the next one", async () => {
  const waiting: ((chunk: Uint8Array) => void)[] = [];
  const [, receiver] = createMemoryPipe();
  receiver.receive = () => new Promise((resolve) => waiting.push(resolve));
  const stream = new TextReceiveStream(receiver);
  const first = stream.receive();
  waiting.shift()?.(Uint8Array.of(0xc3));
  await assert.rejects(stream.receive(), BusyResourceError);
  await assert.rejects(stream[Symbol.asyncIterator]().next(), BusyResourceError);
  waiting.shift()?.(Uint8Array.of(0xa9));
  assert.equal(await first, "é");
});

test("TextReceiveStream: every operation is a checkpoint; cancelled anywhere, it lost nothing", async (group) => {
  const { rounds } = await cancelEverywhere(async (round) => {
    const [sender, receiver] = createMemoryPipe({ held: true });
    const stream = new TextReceiveStream(receiver);
    let text = "";
    round.after(() =>
      group.startSoon(async () => {
        sender.pump();
        sender.close();
        for await (const piece of stream) text += piece;
        assert.equal(text, "é€");
      }),
    );
    sender.pump();
    await shielded(() => sender.send(utf8("é€")));
    await taskGroup(async (inner) => {
      inner.startSoon(async () => {
        await waitAllTasksBlocked();
        sender.pump(1);
        await waitAllTasksBlocked();
        sender.pump(2);
        await waitAllTasksBlocked();
        sender.pump(2);
      });
      text += await assertCheckpoints(() => stream.receive());
      const next = await stream[Symbol.asyncIterator]().next();
      text += next.value ?? "";
    });
  });
  assert.ok(rounds.waiting > 2);
});

test("TextSendStream: sends text in its encoding", async () => {
  const cases: readonly (readonly [string, string, readonly number[]])[] = [
    ["utf-8", "aé😀", [...utf8("aé😀")]],
    ["UTF-16LE", "a😀", [0x61, 0, 0x3d, 0xd8, 0, 0xde]],
    ["utf-16be", "a😀", [0, 0x61, 0xd8, 0x3d, 0xde, 0]],
    ["windows-1251", "аб", [0xe0, 0xe1]],
    ["koi8-r", "аб", [0xc1, 0xc2]],
    ["iso-8859-15", "€", [0xa4]],
  ];
  for (const [encoding, text, bytes] of cases) {
    const [sender, receiver] = createMemoryPipe();
    await new TextSendStream(sender, { encoding }).send(text);
    assert.deepEqual([...(await receiver.receive())], bytes, encoding);
  }
});

test("TextSendStream: half a surrogate pair, and a character that the encoding lacks, are refused, or replaced", async () => {
  const [sender, receiver] = createMemoryPipe();
  const strict = new TextSendStream(sender);
  await assert.rejects(strict.send("ab\uD83D"), /half of a surrogate pair at index 2, needs well/);
  await assert.rejects(strict.send("\uDE00"), RangeError);
  await assert.rejects(strict.send(7 as never), TypeError);
  const latin = new TextSendStream(sender, { encoding: "latin1" });
  await assert.rejects(
    latin.send("a€ж"),
    /got the character "ж", needs text that windows-1252 has/,
  );
  await new TextSendStream(sender, { fatal: false }).send("\uD83D!");
  await new TextSendStream(sender, { fatal: false, encoding: "latin1" }).send("ж!");
  sender.close();
  const bytes: number[] = [];
  for await (const chunk of receiver) bytes.push(...chunk);
  assert.deepEqual(bytes, [0xef, 0xbf, 0xbd, 0x21, 0x3f, 0x21]);
});

test("TextStream: text both ways, its ends, and wrong options", async (group) => {
  const [left, right] = createMemoryStreamPair({ capacity: 0 });
  await using here = new TextStream(left);
  using there = new TextStream(right);
  group.startSoon(async () => {
    for await (const text of there) await there.send(text.toUpperCase());
    await there.sendEof();
  });
  await assertCheckpoints(() => here.send("straße"));
  let text = "";
  while (text.length < 7) text += await here.receive();
  assert.equal(text, "STRASSE");
  await here.sendEof();
  await assert.rejects(here.send("more"), ClosedResourceError);
  await assert.rejects(here.receive(), EndOfStream);
  assert.throws(() => new TextStream(left, { encoding: "klingon" }), RangeError);
  assert.throws(() => new TextStream(left, { encoding: "big5" }), /to send in/);
  assert.throws(() => new TextStream(left, { fatal: 1 as never }), TypeError);
  assert.throws(() => new TextReceiveStream(left, null as never), TypeError);
});
