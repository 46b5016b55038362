/**
 * Any bytes, in any chunks, received by any operations, with cancellation at random moments: the same as from one array. Lines,
 * frames and text too.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { EndOfStream } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import type { TaskGroup } from "../core/task-group.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { BufferedByteReceiveStream } from "./buffered-byte-stream.ts";
import type { ByteStream, ObjectReceiveStream } from "./byte-stream.ts";
import {
  DelimiterNotFoundError,
  FrameTooLargeError,
  IncompleteReadError,
  TextDecodingError,
} from "./errors.ts";
import { HookedByteStream } from "./hooked-byte-stream.ts";
import { LengthPrefixedStream } from "./length-prefixed-stream.ts";
import { LineStream } from "./line-stream.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";
import { TextReceiveStream } from "./text-stream.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# receiving.property: seed ${printedSeed}`);
const NUM_RUNS = 200;

/** How bytes come, and when receivers are cancelled: each number is used in turn, over and over. */
interface Weather {
  readonly sends: readonly number[];
  readonly chunks: readonly number[];
  /** Checkpoints after which a receiver is cancelled; 0: it is not. */
  readonly patience: readonly number[];
  readonly capacity: number;
  readonly seed: number;
}

const sizes = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 })), {
  minLength: 1,
  maxLength: 6,
});
const weather: fc.Arbitrary<Weather> = fc.record({
  sends: sizes,
  chunks: sizes,
  patience: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 5 }).map((all) => [...all, 0]),
  capacity: fc.constantFrom(0, 3, 100),
  seed: fc.nat({ max: 1000 }),
});

/** Runs `body` with a stream on which `bytes` come in this weather, and then the end. */
async function inWeather(
  bytes: Uint8Array,
  { sends, chunks, capacity, seed }: Weather,
  body: (stream: ByteStream, group: TaskGroup) => Promise<void>,
): Promise<void> {
  const backend = simulator({ seed });
  await run(
    async (group) => {
      const [sender, receiver] = createMemoryStreamPair({ capacity });
      group.startSoon(
        async () => {
          for (let sent = 0, turn = 0; sent < bytes.length; turn++) {
            const size = sends[turn % sends.length] as number;
            await sender.send(bytes.subarray(sent, sent + size));
            sent += size;
          }
          await sender.sendEof();
        },
        { daemon: true },
      );
      let turn = 0;
      const chunkBytes = (): number => chunks[turn++ % chunks.length] as number;
      await body(new HookedByteStream(receiver, { chunkBytes }), group);
    },
    { backend, signals: [] },
  );
}

/** Calls `operation` again and again, cancelled at the weather's moments, until it has a result or throws. */
function patiently({ patience }: Weather, group: TaskGroup) {
  let turn = 0;
  return async <T>(operation: () => Promise<T>): Promise<T> => {
    for (;;) {
      const moments = patience[turn++ % patience.length] as number;
      const scope = new CancelScope();
      if (moments > 0) {
        group.startSoon(async () => {
          for (let moment = 1; moment < moments; moment++) await checkpoint();
          scope.cancel();
        });
      }
      const result = await scope.run(operation);
      if (result !== undefined) return result;
    }
  };
}

type Call =
  | { readonly do: "receive" | "receiveInto" | "exactly"; readonly count: number }
  | { readonly do: "until"; readonly delimiter: Uint8Array; readonly maxBytes: number }
  | { readonly do: "unread" };

/** Few values, so that delimiters and their beginnings are everywhere. */
const fewBytes = fc.uint8Array({ min: 0, max: 2, maxLength: 80 });
const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constantFrom("receive" as const, "receiveInto" as const, "exactly" as const),
      count: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({
      do: fc.constant("until" as const),
      delimiter: fc.uint8Array({ min: 0, max: 2, minLength: 1, maxLength: 4 }),
      maxBytes: fc.nat({ max: 20 }),
    }),
    fc.constant({ do: "unread" as const }),
  ),
  { minLength: 1, maxLength: 30 },
);

test("Buffered: any operations, chunks and cancellations give what one array gives", async () => {
  await fc.assert(
    fc.asyncProperty(fewBytes, weather, calls, async (bytes, conditions, list) => {
      await inWeather(bytes, conditions, async (below, group) => {
        const stream = new BufferedByteReceiveStream(below);
        const insist = patiently(conditions, group);
        let rest: Uint8Array = bytes;
        for (const call of list) {
          const outcome = await attempt(() => insist(() => perform(stream, call)));
          const expected = expectedOutcome(rest, call, outcome);
          assert.deepEqual(describe(outcome), describe(expected.outcome), JSON.stringify(call));
          rest = expected.rest;
          if (call.do === "unread" && outcome instanceof Uint8Array) stream.unread(outcome);
        }
        assert.equal(
          await attempt(() => insist(() => stream.receiveExactly(1000))),
          "IncompleteReadError",
        );
        assert.deepEqual([...stream.buffer], [...rest]);
      });
    }),
    { numRuns: NUM_RUNS, seed: printedSeed },
  );
});

async function perform(stream: BufferedByteReceiveStream, call: Call): Promise<Uint8Array> {
  switch (call.do) {
    case "receive":
      return await stream.receive(call.count);
    case "receiveInto": {
      const view = new Uint8Array(call.count);
      return view.subarray(0, await stream.receiveInto(view));
    }
    case "exactly":
      return await stream.receiveExactly(call.count);
    case "until":
      return await stream.receiveUntil(call.delimiter, call.maxBytes);
    case "unread":
      return await stream.receive();
  }
}

/** What `call` should give, and what is left then. How many bytes a `receive` gets is free, from 1 on. */
function expectedOutcome(
  rest: Uint8Array,
  call: Call,
  outcome: unknown,
): { outcome: unknown; rest: Uint8Array } {
  if (call.do === "exactly") {
    if (rest.length < call.count) return { outcome: "IncompleteReadError", rest };
    return { outcome: rest.subarray(0, call.count), rest: rest.subarray(call.count) };
  }
  if (call.do === "until") {
    const at = placeOf(rest, call.delimiter);
    if (at >= 0 && at <= call.maxBytes)
      return { outcome: rest.subarray(0, at), rest: rest.subarray(at + call.delimiter.length) };
    // At the end, a beginning of the delimiter may still have been possible.
    for (let start = 0; start <= Math.min(call.maxBytes, rest.length); start++) {
      const tail = rest.subarray(start, start + call.delimiter.length);
      if (start + tail.length === rest.length && startsWith(call.delimiter, tail))
        return { outcome: "IncompleteReadError", rest };
    }
    return { outcome: "DelimiterNotFoundError", rest };
  }
  if (rest.length === 0) return { outcome: "EndOfStream", rest };
  assert.ok(outcome instanceof Uint8Array && outcome.length > 0);
  const isUnread = call.do === "unread";
  assert.ok(isUnread || outcome.length <= call.count);
  const expected = rest.subarray(0, outcome.length);
  return { outcome: expected, rest: isUnread ? rest : rest.subarray(outcome.length) };
}

function placeOf(bytes: Uint8Array, delimiter: Uint8Array): number {
  for (let at = 0; at + delimiter.length <= bytes.length; at++)
    if (startsWith(bytes.subarray(at), delimiter)) return at;
  return -1;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

async function attempt<T>(fn: () => Promise<T>): Promise<T | string> {
  try {
    return await fn();
  } catch (error) {
    const known = [
      EndOfStream,
      IncompleteReadError,
      DelimiterNotFoundError,
      FrameTooLargeError,
      TextDecodingError,
    ];
    if (known.some((errorClass) => error instanceof errorClass)) return (error as Error).name;
    throw error;
  }
}

/** All items in this weather, and how it ended. */
async function receiveItems<T>(
  bytes: Uint8Array,
  conditions: Weather,
  open: (stream: ByteStream) => ObjectReceiveStream<T>,
): Promise<{ items: T[]; ending: string }> {
  const items: T[] = [];
  let ending = "";
  await inWeather(bytes, conditions, async (below, group) => {
    const stream = open(below);
    const insist = patiently(conditions, group);
    while (ending === "") {
      const item = await attempt(() => insist(async () => ({ item: await stream.receive() })));
      if (typeof item === "string") ending = item;
      else items.push(item.item);
    }
    // Whatever it was, it stays.
    assert.equal(await attempt(() => stream.receive()), ending);
  });
  return { items, ending };
}

test("LineStream: any chunks and cancellations of any text give the same lines", async () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "é", "😀", "\r", "\n", "\r\n"),
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(text, weather, async (whole, conditions) => {
      const lines = whole.split(/\r?\n/);
      const last = lines.pop();
      const bytes = new TextEncoder().encode(whole);
      const { items, ending } = await receiveItems(
        bytes,
        conditions,
        (below) => new LineStream(below),
      );
      assert.deepEqual(items, lines);
      assert.equal(ending, last === "" ? "EndOfStream" : "IncompleteReadError");
    }),
    { numRuns: NUM_RUNS, seed: printedSeed },
  );
});

test("LengthPrefixedStream: any chunks and cancellations give the same frames", async () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 6 });
  const prefix = fc.record({
    lengthBytes: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
    byteOrder: fc.constantFrom("big" as const, "little" as const),
    maxBytes: fc.constantFrom(20, 30),
  });
  await fc.assert(
    fc.asyncProperty(
      frames,
      prefix,
      fc.nat({ max: 40 }),
      weather,
      async (list, options, cut, conditions) => {
        const { lengthBytes, byteOrder, maxBytes } = options;
        const bytes = list.flatMap((frame) => {
          const length = Array.from({ length: lengthBytes }, (_, place) =>
            place === 0 ? frame.length : 0,
          );
          return [...(byteOrder === "little" ? length : length.toReversed()), ...frame];
        });
        const sent = Uint8Array.from(bytes.slice(0, bytes.length - (cut % 5)));
        const expected: number[][] = [];
        let ending = "EndOfStream";
        let rest = sent.length;
        for (const frame of list) {
          if (rest === 0) break;
          if (rest < lengthBytes) ending = "IncompleteReadError";
          else if (frame.length > maxBytes) ending = "FrameTooLargeError";
          else if (rest < lengthBytes + frame.length) ending = "IncompleteReadError";
          if (ending !== "EndOfStream") break;
          expected.push([...frame]);
          rest -= lengthBytes + frame.length;
        }
        const outcome = await receiveItems(
          sent,
          conditions,
          (below) => new LengthPrefixedStream(below, options),
        );
        assert.deepEqual(
          outcome.items.map((frame) => [...frame]),
          expected,
        );
        assert.equal(outcome.ending, ending);
      },
    ),
    { numRuns: NUM_RUNS, seed: printedSeed },
  );
});

/** Well-formed text, with something in it that is not. */
const nearlyUtf8 = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("a", "é", "€", "😀", "\uFEFF", "\u0000") },
      { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 3, min: 0x7f }) },
    ),
    { maxLength: 12 },
  )
  .map((parts) =>
    parts.flatMap((part) =>
      typeof part === "string" ? [...new TextEncoder().encode(part)] : [...part],
    ),
  )
  .map((bytes) => Uint8Array.from(bytes));

test("TextReceiveStream: any chunks and cancellations of any bytes give the same text, up to what is malformed", async () => {
  await fc.assert(
    fc.asyncProperty(
      nearlyUtf8,
      fc.boolean(),
      weather,
      async (bytes, keepByteOrderMark, conditions) => {
        const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: keepByteOrderMark });
        const [text, length] = longestText(bytes, decoder);
        const { items, ending } = await receiveItems(
          bytes,
          conditions,
          (below) => new TextReceiveStream(below, { keepByteOrderMark }),
        );
        assert.equal(items.join(""), text);
        assert.equal(ending, length === bytes.length ? "EndOfStream" : "TextDecodingError");
        assert.ok(items.every((item) => item !== ""));
        const lenient = await receiveItems(
          bytes,
          conditions,
          (below) => new TextReceiveStream(below, { fatal: false }),
        );
        assert.deepEqual(
          [lenient.items.join(""), lenient.ending],
          [new TextDecoder().decode(bytes), "EndOfStream"],
        );
      },
    ),
    { numRuns: NUM_RUNS, seed: printedSeed },
  );
});

function longestText(bytes: Uint8Array, decoder: TextDecoder): [text: string, length: number] {
  for (let length = bytes.length; ; length--) {
    try {
      return [decoder.decode(bytes.subarray(0, length)), length];
    } catch {
      // Shorter.
    }
  }
}

function describe(outcome: unknown): unknown {
  return outcome instanceof Uint8Array ? [...outcome] : outcome;
}
