import assert from "node:assert/strict";
import { Duplex, Writable } from "node:stream";
import { describe, test as nodeTest } from "node:test";
import { BrokenResourceError, EndOfStream, waitAllTasksBlocked } from "../index.ts";
import {
  BufferedByteStream,
  type ByteStream,
  createMemoryStreamPair,
  fromStreamPair,
  HookedByteStream,
  StapledByteStream,
  toNodeDuplex,
  toNodeWritable,
  toWritableStream,
} from "../streams.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { StreamWire } from "./stream-wire.ts";
import { WireStream } from "./wire-stream.ts";

const test = onEveryBackend(nodeTest);

const HALF: Uint8Array = new TextEncoder().encode("half");

/** Two ends, of which the first is aborted, and what its sender does before. */
type Setup = (stream: ByteStream) => {
  send(): Promise<unknown>;
  abort(): unknown;
};

const wrapped = (wrap: (stream: ByteStream) => ByteStream): Setup => {
  return (stream) => {
    const outer = wrap(stream);
    return { send: () => outer.send(HALF), abort: () => outer.abort?.() };
  };
};

const setups: Record<string, Setup> = {
  MemoryStream: wrapped((stream) => stream),
  BufferedByteStream: wrapped((stream) => new BufferedByteStream(stream)),
  HookedByteStream: wrapped((stream) => new HookedByteStream(stream, {})),
  StapledByteStream: wrapped((stream) => new StapledByteStream(stream, stream)),
  "a wire over a stream": wrapped((stream) => new WireStream(new StreamWire(stream), "over")),
  "toWritableStream, the source of pipeTo fails": (stream) => {
    let turn = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        turn += 1;
        if (turn === 1) controller.enqueue(HALF);
        else controller.error(new RangeError("source failed"));
      },
    });
    return {
      send: () => assert.rejects(source.pipeTo(toWritableStream(stream)), /source failed/),
      abort: () => {},
    };
  },
  ...Object.fromEntries(
    (["toNodeWritable", "toNodeDuplex"] as const).map((name): [string, Setup] => [
      `${name}, destroyed with an error`,
      (stream) => {
        const node: Writable =
          name === "toNodeDuplex" ? toNodeDuplex(stream, Duplex) : toNodeWritable(stream, Writable);
        node.on("error", () => {});
        return {
          send: () => new Promise<void>((resolve) => void node.write(HALF, () => resolve())),
          abort: () => node.destroy(new RangeError("pipeline failed")),
        };
      },
    ]),
  ),
};

describe("a sender that has not finished", () => {
  for (const [name, setUp] of Object.entries(setups)) {
    test(`${name}: the other side does not take the part for the whole`, async () => {
      const [left, right] = createMemoryStreamPair();
      const sender = setUp(left);
      await sender.send();
      sender.abort();
      await waitAllTasksBlocked();
      assert.deepEqual(await right.receive(), HALF);
      await assert.rejects(right.receive(), BrokenResourceError);
      // After that, both do nothing.
      left.abort();
      left.close();
    });
  }

  test("abort: after close it does nothing, and where a stream has no abort it closes", async () => {
    const [left, right] = createMemoryStreamPair();
    left.close();
    left.abort();
    await assert.rejects(right.receive(), EndOfStream);
    const [low, far] = createMemoryStreamPair();
    const without: ByteStream = {
      receive: (maxBytes) => low.receive(maxBytes),
      receiveInto: (view) => low.receiveInto(view),
      send: (bytes) => low.send(bytes),
      sendEof: () => low.sendEof(),
      close: () => low.close(),
      [Symbol.asyncIterator]: () => low[Symbol.asyncIterator](),
      [Symbol.dispose]: () => low.close(),
      [Symbol.asyncDispose]: () => low[Symbol.asyncDispose](),
    };
    new BufferedByteStream(without).abort();
    await assert.rejects(far.receive(), EndOfStream);
  });

  test("fromStreamPair: abort aborts the web stream that is written to", async () => {
    let reason: unknown = "not aborted";
    const stream = fromStreamPair({
      readable: new ReadableStream(),
      writable: new WritableStream({ abort: (given) => void (reason = given) }),
    }) as ByteStream;
    await stream.send(HALF);
    stream.abort?.();
    await waitAllTasksBlocked();
    assert.equal(reason, undefined);
  });
});
