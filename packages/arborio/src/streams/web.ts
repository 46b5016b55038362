/** Bridges to and from the streams of the web platform: `fetch` bodies, `Blob`s, compression, workers. */
import { ambientScope, runInScope } from "../core/ambient.ts";
import { describeValue, requireOptions } from "../core/arguments.ts";
import { EndOfStream } from "../core/errors.ts";
import {
  abortStream,
  type ByteReceiveStream,
  type ByteSendStream,
  type ByteStream,
  type ObjectReceiveStream,
  type ObjectSendStream,
} from "./byte-stream.ts";
import { type ByteSink, ForeignWire } from "./foreign-wire.ts";
import { type ItemSource, PulledStream } from "./item-source.ts";
import { requireReceiver, requireSender } from "./stream-arguments.ts";
import { WireStream } from "./wire-stream.ts";

/** A web stream in each direction, as `WebSocketStream`, `Deno.Conn` and `CompressionStream` have. */
export interface WebStreamPair<Readable, Writable> {
  /** What comes. */
  readonly readable: ReadableStream<Readable>;
  /** What goes. */
  readonly writable: WritableStream<Writable>;
}

/**
 * Receives the bytes of a web stream, for example of `response.body`. It locks the stream, reads ahead up to 64 KiB, and cancels
 * it when closed. A failure of the web stream is a `BrokenResourceError` with the failure as its `cause`.
 *
 * @throws TypeError if `readable` is not a `ReadableStream`, or is locked.
 *
 * @example The body of a response, line by line or as it comes
 * ```ts
 * import { run } from "arborio";
 * import { fromReadableStream } from "arborio/streams";
 *
 * await run(async () => {
 *   const { body } = new Response("Hello");
 *   await using stream = fromReadableStream(body!);
 *   console.assert((await stream.receive()).length > 0);
 * });
 * ```
 */
export function fromReadableStream(readable: ReadableStream<Uint8Array>): ByteReceiveStream {
  const name = "fromReadableStream";
  return new WireStream(new ForeignWire(name, sourceOf(name, readable), null), name);
}

/**
 * Sends bytes to a web stream. It locks the stream. `send` waits until the stream has taken the bytes; `close` closes the stream
 * after what was sent, or aborts it if a `send` was cut.
 *
 * @throws TypeError if `writable` is not a `WritableStream`, or is locked.
 */
export function fromWritableStream(writable: WritableStream<Uint8Array>): ByteSendStream {
  const name = "fromWritableStream";
  return new WireStream(new ForeignWire(name, null, sinkOf(name, writable)), name);
}

/**
 * A byte stream over a web stream in each direction.
 *
 * @throws TypeError if one of them is not a web stream, or is locked.
 */
export function fromStreamPair(pair: WebStreamPair<Uint8Array, Uint8Array>): ByteStream {
  const name = "fromStreamPair";
  requireOptions(name, pair, "{ readable, writable }");
  const { readable, writable } = pair;
  // Both before one is locked.
  requireUnlocked(name, readable, "ReadableStream");
  requireUnlocked(name, writable, "WritableStream");
  return new WireStream(
    new ForeignWire(name, sourceOf(name, readable), sinkOf(name, writable)),
    name,
  );
}

/**
 * Receives the items of a web stream, one at a time, never ahead. It locks the stream, and cancels it when closed. A cancelled
 * `receive` loses no item.
 *
 * @throws TypeError if `readable` is not a `ReadableStream`, or is locked.
 */
export function itemsFromReadableStream<T>(readable: ReadableStream<T>): ObjectReceiveStream<T> {
  const name = "itemsFromReadableStream";
  return new PulledStream(sourceOf(name, readable), name);
}

/**
 * A web stream of what `stream` receives, for `new Response(…)` and other consumers. Nothing is received before it is read.
 * Cancelling it closes `stream`. Its reads are in the root scope of the run: no timeout of the caller cuts them.
 *
 * @example The body of a request
 * ```ts
 * import { run } from "arborio";
 * import { fromReadableStream, toReadableStream } from "arborio/streams";
 *
 * await run(async () => {
 *   const stream = fromReadableStream(new Blob(["Hello"]).stream());
 *   console.assert((await new Response(toReadableStream(stream)).text()) === "Hello");
 * });
 * ```
 */
export function toReadableStream(stream: ByteReceiveStream): ReadableStream<Uint8Array> {
  requireReceiver("toReadableStream", stream);
  const { root } = ambientScope().runState;
  const pull = async (controller: ReadableByteStreamController): Promise<void> => {
    const request = controller.byobRequest;
    try {
      if (request === null) {
        controller.enqueue(webBytes(await stream.receive()));
      } else {
        const { buffer, byteOffset, byteLength } = request.view as ArrayBufferView;
        request.respond(await stream.receiveInto(new Uint8Array(buffer, byteOffset, byteLength)));
      }
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
      controller.close();
      request?.respond(0);
    }
  };
  return new ReadableStream(
    {
      type: "bytes",
      pull: (controller) => runInScope(root, pull, controller),
      cancel: () => stream.close(),
    },
    { highWaterMark: 0 },
  ) as ReadableStream<Uint8Array>;
}

/**
 * A web stream whose chunks are sent on `stream`. Closing it ends the sending half, or closes a stream that only sends; aborting
 * it, as `pipeTo` does when its source fails, aborts `stream`, so that the other side does not take a part for the whole.
 */
export function toWritableStream(stream: ByteSendStream): WritableStream<Uint8Array> {
  requireSender("toWritableStream", stream);
  return writableTo<Uint8Array>(stream);
}

/** A web stream for each direction of `stream`. */
export function toStreamPair(stream: ByteStream): WebStreamPair<Uint8Array, Uint8Array> {
  requireReceiver("toStreamPair", stream);
  requireSender("toStreamPair", stream);
  return { readable: toReadableStream(stream), writable: toWritableStream(stream) };
}

/** A web stream of the items that `stream` receives. Nothing is received before it is read; cancelling it closes `stream`. */
export function itemsToReadableStream<T>(stream: ObjectReceiveStream<T>): ReadableStream<T> {
  requireReceiver("itemsToReadableStream", stream);
  const { root } = ambientScope().runState;
  const pull = async (controller: ReadableStreamDefaultController<T>): Promise<void> => {
    try {
      controller.enqueue(await stream.receive());
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
      controller.close();
    }
  };
  return new ReadableStream<T>(
    {
      pull: (controller) => runInScope(root, pull, controller),
      cancel: () => stream.close(),
    },
    { highWaterMark: 0 },
  );
}

/** A web stream whose chunks are sent as items. Closing it ends the sending half, or closes a stream that only sends. */
export function itemsToWritableStream<T>(stream: ObjectSendStream<T>): WritableStream<T> {
  requireSender("itemsToWritableStream", stream);
  return writableTo<T>(stream);
}

interface Sender<T> {
  send(item: T): Promise<void>;
  sendEof?(): Promise<void>;
  close(): void;
  abort?(): void;
}

function writableTo<T>(stream: Sender<T>): WritableStream<T> {
  const { root } = ambientScope().runState;
  return new WritableStream<T>({
    // Its own `abort` is called only when the write under way is done, and that may wait for the other side without end.
    start({ signal }) {
      signal.addEventListener("abort", () => abortStream(stream), { once: true });
    },
    write: (item) => runInScope(root, () => stream.send(item), undefined),
    close: () =>
      stream.sendEof === undefined
        ? stream.close()
        : runInScope(root, () => stream.sendEof?.(), undefined),
  });
}

function sourceOf<T>(name: string, readable: ReadableStream<T>): ItemSource<T> {
  requireUnlocked(name, readable, "ReadableStream");
  const reader = readable.getReader();
  return {
    pull: () => reader.read() as Promise<IteratorResult<T, unknown>>,
    cancel: () => reader.cancel(),
  };
}

function sinkOf(name: string, writable: WritableStream<Uint8Array>): ByteSink {
  requireUnlocked(name, writable, "WritableStream");
  const writer = writable.getWriter();
  // It rejects with the stream, whatever else does, and nobody looks at it here.
  writer.closed.catch(() => {});
  writer.ready.catch(() => {});
  return {
    write: (bytes) => writer.write(bytes),
    end: () => writer.close(),
    abort: () => writer.abort(),
  };
}

function requireUnlocked(name: string, stream: { readonly locked: boolean }, needed: string): void {
  if (typeof stream !== "object" || stream === null || typeof stream.locked !== "boolean")
    throw new TypeError(`${name}: got ${describeValue(stream)}, needs a ${needed}`);
  if (stream.locked)
    throw new TypeError(`${name}: this ${needed} is locked, needs one that nobody else uses`);
}

/** A stream of bytes transfers what it is given, which a view on shared or larger memory would lose for others. */
function webBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);
}
