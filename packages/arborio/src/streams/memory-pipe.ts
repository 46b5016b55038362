import type { ByteReceiveStream, ByteSendStream } from "./byte-stream.ts";
import { connectedStreams, type MemoryStream, type MemoryStreamOptions } from "./memory-stream.ts";

/**
 * Makes a pipe: what is sent at one end is received at the other. When the sender is closed, the receiver gets what was sent, then
 * `EndOfStream`; when the receiver is closed, the sender gets `BrokenResourceError`.
 *
 * @throws RangeError if `capacity` is no whole number from 0 on; TypeError if an option is of the wrong type.
 *
 * Counterpart: `trio.testing.memory_stream_one_way_pair`; with a capacity of 0 `trio.testing.lockstep_stream_one_way_pair`.
 *
 * @example A producer and a consumer of bytes
 * ```ts
 * import { run } from "arborio";
 * import { createMemoryPipe } from "arborio/streams";
 *
 * await run(async (group) => {
 *   const [sender, receiver] = createMemoryPipe({ capacity: 100 });
 *   group.startSoon(async () => {
 *     using _closing = sender;
 *     await sender.send(new Uint8Array(1000));
 *   });
 *   let count = 0;
 *   for await (const chunk of receiver) count += chunk.length;
 *   console.assert(count === 1000);
 * });
 * ```
 */
export function createMemoryPipe(
  options: MemoryStreamOptions = {},
): [MemorySendStream, MemoryReceiveStream] {
  const names = ["MemorySendStream", "MemoryReceiveStream"] as const;
  const [first, second] = connectedStreams("createMemoryPipe", options, names);
  return [new MemorySendStream(first), new MemoryReceiveStream(second)];
}

/** The sending end of a pipe in memory. */
export class MemorySendStream implements ByteSendStream {
  readonly #stream: MemoryStream;

  /** @internal */
  constructor(stream: MemoryStream) {
    this.#stream = stream;
  }

  /** As `ByteSendStream.send`. */
  send(bytes: Uint8Array): Promise<void> {
    return this.#stream.send(bytes);
  }

  /** As `MemoryStream.heldBytes`. */
  get heldBytes(): number {
    return this.#stream.heldBytes;
  }

  /** As `MemoryStream.pump`. */
  pump(maxBytes?: number): number {
    return this.#stream.pump(maxBytes);
  }

  /** As `MemoryStream.abort`. */
  abort(): void {
    this.#stream.abort();
  }

  /** Closes the stream. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#stream.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#stream[Symbol.asyncDispose]();
  }
}

/** The receiving end of a pipe in memory. */
export class MemoryReceiveStream implements ByteReceiveStream {
  readonly #stream: MemoryStream;

  /** @internal */
  constructor(stream: MemoryStream) {
    this.#stream = stream;
  }

  /** As `ByteReceiveStream.receive`. */
  receive(maxBytes?: number): Promise<Uint8Array> {
    return this.#stream.receive(maxBytes);
  }

  /** As `ByteReceiveStream.receiveInto`. */
  receiveInto(view: Uint8Array): Promise<number> {
    return this.#stream.receiveInto(view);
  }

  /** Iterates over chunks until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return this.#stream[Symbol.asyncIterator]();
  }

  /** Closes as a reader does that breaks: the sender gets `BrokenResourceError`. */
  abort(): void {
    this.#stream.abort();
  }

  /** Closes the stream. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#stream.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#stream[Symbol.asyncDispose]();
  }
}
