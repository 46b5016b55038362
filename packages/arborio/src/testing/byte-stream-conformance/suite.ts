import type { ByteStream } from "../../streams/byte-stream.ts";

/** Two ends that are connected to one another. */
export type ByteStreamPair = readonly [ByteStream, ByteStream];

/**
 * What a kind of stream may be unable to do by nature: end one direction alone; press back on a sender; tell the other side of a
 * failure apart from an end; have only the connected ends know that it is whole.
 */
export type ByteStreamPromise =
  | "transfer"
  | "chunks"
  | "arguments"
  | "memory"
  | "half-close"
  | "closing"
  | "busy"
  | "backpressure"
  | "cancellation"
  | "cut-send"
  | "reset"
  | "iteration"
  | "checkpoints";

/** One check. */
export interface ByteStreamCheck {
  readonly promise: ByteStreamPromise;
  readonly title: string;
  readonly body: (pair: ByteStreamPair, limits: ByteStreamLimits) => Promise<void>;
}

/** What a check needs to know of the streams at hand. */
export interface ByteStreamLimits {
  /** More bytes than any buffer between the two ends takes: a `send` of so many waits until somebody receives. */
  readonly bufferedBytesMax: number;
}
