/**
 * Streams of bytes and of items: what they promise, what is built on them, and what connects them to the streams of others.
 *
 * @example Lines over any stream of bytes
 * ```ts
 * import { run } from "arborio";
 * import { createMemoryStreamPair, LineStream } from "arborio/streams";
 *
 * await run(async () => {
 *   const [left, right] = createMemoryStreamPair();
 *   await using sender = new LineStream(left);
 *   await using receiver = new LineStream(right);
 *   await sender.send("hello");
 *   console.assert((await receiver.receive()) === "hello");
 * });
 * ```
 * @module
 */
import "./platform/host.ts";

// What streams promise
export type {
  ByteReceiveStream,
  ByteSendStream,
  ByteStream,
  ObjectReceiveStream,
  ObjectSendStream,
  ObjectStream,
} from "./streams/byte-stream.ts";
export type { WireStream } from "./streams/wire-stream.ts";

// Receiving what belongs together
export { BufferedByteReceiveStream, BufferedByteStream } from "./streams/buffered-byte-stream.ts";
export type { ReceiveLineOptions } from "./streams/line-parser.ts";
export {
  LengthPrefixedStream,
  type LengthPrefixedStreamOptions,
} from "./streams/length-prefixed-stream.ts";
export { LineStream, type LineStreamOptions } from "./streams/line-stream.ts";

// Text
export {
  TextReceiveStream,
  type TextReceiveStreamOptions,
  TextSendStream,
  type TextSendStreamOptions,
  TextStream,
  type TextStreamOptions,
} from "./streams/text-stream.ts";

// Putting together
export { copyStream, type CopyStreamOptions } from "./streams/copy-stream.ts";
export { StapledByteStream, StapledObjectStream } from "./streams/stapled-stream.ts";

// In memory, and for tests
export {
  createMemoryStreamPair,
  type MemoryStream,
  type MemoryStreamOptions,
} from "./streams/memory-stream.ts";
export {
  createMemoryPipe,
  type MemoryReceiveStream,
  type MemorySendStream,
} from "./streams/memory-pipe.ts";
export { createObjectStreamPair } from "./streams/object-stream-pair.ts";
export { type ByteStreamHooks, HookedByteStream } from "./streams/hooked-byte-stream.ts";

// Errors
export * from "./streams/errors.ts";

// Bridges
export {
  fromReadableStream,
  fromStreamPair,
  fromWritableStream,
  itemsFromReadableStream,
  itemsToReadableStream,
  itemsToWritableStream,
  toReadableStream,
  toStreamPair,
  toWritableStream,
  type WebStreamPair,
} from "./streams/web.ts";
export {
  fromNodeDuplex,
  fromNodeReadable,
  fromNodeWritable,
  type NodeProcessed,
  type NodeStreamClass,
  type NodeStreamOptions,
  type NodeStreamOutput,
  toNodeDuplex,
  toNodeReadable,
  toNodeWritable,
} from "./streams/node.ts";
export type {
  NodeDuplexLike,
  NodeReadableLike,
  NodeStreamLike,
  NodeWritableLike,
} from "./streams/node-stream-wire.ts";
export { type AnyIterable, fromIterable, itemsFromIterable } from "./streams/iterable.ts";
export {
  dispatchEvents,
  type EmitterLike,
  type EventSource,
  EventStream,
  type EventStreamStatistics,
  receiveEvents,
  type ReceiveEventsOptions,
} from "./streams/events.ts";
