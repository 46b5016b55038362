import assert from "node:assert/strict";
import { Duplex, Readable, Writable } from "node:stream";
import { test } from "node:test";
import {
  createMemoryPipe,
  itemsToReadableStream,
  itemsToWritableStream,
  toNodeDuplex,
  toNodeReadable,
  toNodeWritable,
  toReadableStream,
  toStreamPair,
  toWritableStream,
} from "../streams.ts";

/** Each with whether it needs something to receive from, and something to send to. */
const bridges: [
  name: string,
  make: (stream: never) => unknown,
  receives: boolean,
  sends: boolean,
][] = [
  ["toReadableStream", toReadableStream, true, false],
  ["toWritableStream", toWritableStream, false, true],
  ["toStreamPair", toStreamPair, true, true],
  ["itemsToReadableStream", itemsToReadableStream, true, false],
  ["itemsToWritableStream", itemsToWritableStream, false, true],
  ["toNodeReadable", (stream) => toNodeReadable(stream, Readable), true, false],
  ["toNodeWritable", (stream) => toNodeWritable(stream, Writable), false, true],
  ["toNodeDuplex", (stream) => toNodeDuplex(stream, Duplex), true, true],
];

for (const [name, make, receives, sends] of bridges) {
  test(`${name}: what is no such stream is refused at once`, () => {
    const [sender, receiver] = createMemoryPipe();
    const wrong: unknown[] = [undefined, null, 1, {}];
    if (receives) wrong.push(sender);
    if (sends) wrong.push(receiver);
    for (const stream of wrong) {
      assert.throws(
        () => make(stream as never),
        (error: Error) =>
          error instanceof TypeError &&
          new RegExp(`^${name}: got .*, needs a stream with `).test(error.message),
      );
    }
  });
}
