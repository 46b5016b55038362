/**
 * Streams of bytes and of items.
 *
 * @module
 */
import "./platform/host.ts";

export type {
  ByteReceiveStream,
  ByteSendStream,
  ByteStream,
  ObjectReceiveStream,
  ObjectSendStream,
  ObjectStream,
} from "./streams/byte-stream.ts";

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
