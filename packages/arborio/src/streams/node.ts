/**
 * Bridges to and from Node's streams. They are described here by their shape, so that nothing of a runtime is imported, and the
 * streams of any runtime, or of a library that imitates Node's, will do.
 */
import { ambientScope, runInScope } from "../core/ambient.ts";
import { requireFunction } from "../core/arguments.ts";
import { EndOfStream } from "../core/errors.ts";
import {
  abortStream,
  type ByteReceiveStream,
  type ByteSendStream,
  type ByteStream,
} from "./byte-stream.ts";
import {
  type NodeDuplexLike,
  type NodeReadableLike,
  NodeStreamWire,
  type NodeWritableLike,
  requireReadable,
  requireWritable,
} from "./node-stream-wire.ts";
import { requireReceiver, requireSender } from "./stream-arguments.ts";
import { WireStream } from "./wire-stream.ts";

/** What `toNodeReadable` and its like give to the constructor. */
export interface NodeStreamOptions {
  /** Wants bytes. */
  readonly read?: (this: NodeStreamOutput) => void;
  /** Has bytes to process. */
  readonly write?: (bytes: Uint8Array, encoding: string, processed: NodeProcessed) => void;
  /** Has no more bytes. */
  readonly final?: (processed: NodeProcessed) => void;
  /** Is not used any more. */
  readonly destroy?: (error: Error | null, processed: NodeProcessed) => void;
  /** Whether one direction may end before the other. */
  readonly allowHalfOpen?: boolean;
}

/** Node's way to tell that something is processed. */
export type NodeProcessed = (error?: Error | null) => void;

/** What a stream that is read from puts its bytes into. */
export interface NodeStreamOutput {
  /** Adds bytes; `null`: there are no more. */
  push(bytes: Uint8Array | null): boolean;
  /** Ends it at once. */
  destroy(error?: Error): unknown;
}

/** One of the classes of `node:stream`. */
export type NodeStreamClass<T> = new (options: NodeStreamOptions) => T;

/**
 * Receives the bytes of a Node stream, for example a file or an upload. Reads ahead up to 64 KiB, then the stream is paused.
 * Closing destroys the Node stream. Its failure is a `BrokenResourceError` with the failure as its `cause`.
 *
 * @throws TypeError if it is not a readable stream of bytes.
 */
export function fromNodeReadable(readable: NodeReadableLike): ByteReceiveStream {
  const name = "fromNodeReadable";
  requireReadable(name, readable);
  return new WireStream(new NodeStreamWire(name, readable, null), name);
}

/**
 * Sends bytes to a Node stream. `send` waits until the stream has processed them. `close` ends the stream after what was sent, or
 * destroys it if a `send` was cut.
 *
 * @throws TypeError if it is not a writable stream of bytes.
 */
export function fromNodeWritable(writable: NodeWritableLike): ByteSendStream {
  const name = "fromNodeWritable";
  requireWritable(name, writable);
  return new WireStream(new NodeStreamWire(name, null, writable), name);
}

/**
 * A byte stream over a Node stream with both directions.
 *
 * @throws TypeError if it is not a duplex stream of bytes.
 *
 * @example Compress, on Node, Bun and Deno
 * ```ts
 * import { createGzip } from "node:zlib";
 * import { run } from "arborio";
 * import { fromNodeDuplex } from "arborio/streams";
 *
 * await run(async (group) => {
 *   await using gzip = fromNodeDuplex(createGzip());
 *   group.startSoon(async () => {
 *     await gzip.send(new TextEncoder().encode("Hello"));
 *     await gzip.sendEof();
 *   });
 *   let count = 0;
 *   for await (const chunk of gzip) count += chunk.length;
 *   console.assert(count > 0);
 * });
 * ```
 */
export function fromNodeDuplex(duplex: NodeDuplexLike): ByteStream {
  const name = "fromNodeDuplex";
  requireReadable(name, duplex);
  requireWritable(name, duplex);
  return new WireStream(new NodeStreamWire(name, duplex, duplex), name);
}

/**
 * A Node stream of what `stream` receives. Nothing is received before it is read. It owns `stream`: destroying it closes that, and a
 * Node stream is also destroyed when it has ended. For both directions use `toNodeDuplex`.
 *
 * @param Readable the class of `node:stream`.
 *
 * @example For a library that wants a Node stream
 * ```ts
 * import { Readable } from "node:stream";
 * import { run } from "arborio";
 * import { fromIterable, toNodeReadable } from "arborio/streams";
 *
 * await run(async () => {
 *   const readable = toNodeReadable(fromIterable([new Uint8Array([1])]), Readable);
 *   for await (const chunk of readable) console.assert(chunk.length === 1);
 * });
 * ```
 */
export function toNodeReadable<T>(stream: ByteReceiveStream, Readable: NodeStreamClass<T>): T {
  requireReceiver("toNodeReadable", stream);
  requireFunction("toNodeReadable", Readable);
  return new Readable({ read: readFrom(stream), destroy: destroyWith(stream) });
}

/**
 * A Node stream whose bytes are sent on `stream`. Ending it ends the sending half, or closes a stream that only sends. It owns
 * `stream`: destroying it closes that, and with an error, as `pipeline` does when another stream fails, aborts it, so that the
 * other side does not take a part for the whole.
 *
 * @param Writable the class of `node:stream`.
 */
export function toNodeWritable<T>(stream: ByteSendStream, Writable: NodeStreamClass<T>): T {
  requireSender("toNodeWritable", stream);
  requireFunction("toNodeWritable", Writable);
  return new Writable({ ...writeTo(stream), destroy: destroyWith(stream, abortStream) });
}

/**
 * A Node stream for both directions of `stream`. Destroying it closes `stream`, with an error aborts it.
 *
 * @param Duplex the class of `node:stream`.
 */
export function toNodeDuplex<T>(stream: ByteStream, Duplex: NodeStreamClass<T>): T {
  requireReceiver("toNodeDuplex", stream);
  requireSender("toNodeDuplex", stream);
  requireFunction("toNodeDuplex", Duplex);
  return new Duplex({
    read: readFrom(stream),
    ...writeTo(stream),
    destroy: destroyWith(stream, abortStream),
    allowHalfOpen: true,
  });
}

function readFrom(stream: ByteReceiveStream): (this: NodeStreamOutput) => void {
  const { root } = ambientScope().runState;
  return function (this: NodeStreamOutput): void {
    runInScope(root, () => stream.receive(), undefined).then(
      (bytes) => this.push(bytes),
      (error: unknown) => {
        if (error instanceof EndOfStream) this.push(null);
        else this.destroy(error as Error);
      },
    );
  };
}

function writeTo(
  stream: ByteSendStream & { sendEof?(): Promise<void> },
): Pick<NodeStreamOptions, "write" | "final"> {
  const { root } = ambientScope().runState;
  return {
    write: (bytes, _encoding, processed) => {
      runInScope(root, () => stream.send(bytes), undefined).then(
        () => processed(),
        (error: unknown) => processed(error as Error),
      );
    },
    final: (processed) => {
      if (stream.sendEof === undefined) {
        stream.close();
        processed();
        return;
      }
      runInScope(root, () => stream.sendEof?.(), undefined)?.then(
        () => processed(),
        (error: unknown) => processed(error as Error),
      );
    },
  };
}

function destroyWith<Stream extends { close(): void }>(
  stream: Stream,
  abort: (stream: Stream) => void = (one) => one.close(),
): (error: Error | null, processed: NodeProcessed) => void {
  return (error, processed) => {
    if (error === null) stream.close();
    else abort(stream);
    processed(error);
  };
}
