import { ambientScope } from "../core/ambient.ts";
import { requireCount, requireFunction, requireOptions } from "../core/arguments.ts";
import { BusyResourceError, EndOfStream } from "../core/errors.ts";
import { abortStream, type ByteStream, CHUNK_BYTES_MAX } from "./byte-stream.ts";
import { refusedBy } from "./refused.ts";
import { requireBytes, requireRoom } from "./byte-arguments.ts";

/** What a `HookedByteStream` does beside passing on. May be changed at any time. */
export interface ByteStreamHooks {
  /** Called by `send` before anything is sent. `send` waits for what it returns, and throws what it throws. */
  onSend?: ((bytes: Uint8Array) => unknown) | undefined;
  /** Called by `sendEof` before it ends anything. */
  onSendEof?: (() => unknown) | undefined;
  /** Called by `receive`, `receiveInto` and iteration before anything is received. They wait for what it returns, and throw what it throws. */
  onReceive?: (() => unknown) | undefined;
  /** Called by `close`, before the stream is closed; it is closed whatever this throws, and `close` throws that. */
  onClose?: (() => void) | undefined;
  /** Most bytes that are received at once, or what tells them each time: 1 gives bytes one by one. A whole number from 1 on. */
  chunkBytes?: number | (() => number) | undefined;
}

/**
 * Passes everything on to a stream, which it owns, and calls hooks before: for tests that need a failure, a delay, or chunks of
 * one byte, at the right moment. It keeps the promises of byte streams if its hooks do: one that waits must wait for something
 * that can be cancelled. Counterpart: the hooks of `trio.testing.MemorySendStream` and `MemoryReceiveStream`.
 *
 * @example A connection that breaks at the second send
 * ```ts
 * import { BrokenResourceError, run } from "arborio";
 * import { createMemoryStreamPair, HookedByteStream } from "arborio/streams";
 *
 * await run(async () => {
 *   const [left, _right] = createMemoryStreamPair();
 *   let sends = 0;
 *   const stream = new HookedByteStream(left, {
 *     onSend() {
 *       if (++sends === 2) throw new BrokenResourceError("the cable is cut");
 *     },
 *   });
 *   await stream.send(Uint8Array.of(1));
 *   const error = await stream.send(Uint8Array.of(2)).catch((thrown: unknown) => thrown);
 *   console.assert(error instanceof BrokenResourceError);
 * });
 * ```
 */
export class HookedByteStream implements ByteStream {
  /** The hooks. */
  readonly hooks: ByteStreamHooks;
  readonly #stream: ByteStream;
  #sending = false;
  #receiving = false;

  /** Takes over `stream`. */
  constructor(stream: ByteStream, hooks: ByteStreamHooks) {
    requireOptions("HookedByteStream", hooks, "{ onSend() { … } }");
    for (const hook of [hooks.onSend, hooks.onSendEof, hooks.onReceive, hooks.onClose])
      if (hook !== undefined) requireFunction("HookedByteStream(stream, hooks)", hook);
    this.#stream = stream;
    this.hooks = hooks;
  }

  /** As `ByteSendStream.send`, after `onSend`. */
  send(bytes: Uint8Array): Promise<void> {
    const wrong = refusedBy(() => requireBytes("HookedByteStream.send", bytes));
    if (wrong !== null) return wrong;
    const { onSend } = this.hooks;
    return this.#send(onSend && (() => onSend(bytes)), () => this.#stream.send(bytes));
  }

  /** As `ByteStream.sendEof`, after `onSendEof`. */
  sendEof(): Promise<void> {
    return this.#send(this.hooks.onSendEof, () => this.#stream.sendEof());
  }

  /** As `ByteReceiveStream.receive`, after `onReceive`, and at most `chunkBytes`. */
  receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    const wrong = refusedBy(() => requireCount("HookedByteStream.receive", maxBytes, 1, false));
    return (
      wrong ?? this.#receive(() => this.#stream.receive(Math.min(maxBytes, this.#chunkBytes())))
    );
  }

  /** As `ByteReceiveStream.receiveInto`, after `onReceive`, and at most `chunkBytes`. */
  receiveInto(view: Uint8Array): Promise<number> {
    const wrong = refusedBy(() => requireRoom("HookedByteStream.receiveInto", view));
    return (
      wrong ?? this.#receive(() => this.#stream.receiveInto(view.subarray(0, this.#chunkBytes())))
    );
  }

  /** Iterates over chunks until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return { next: () => this.#next() };
  }

  /**
   * Calls `onClose`, and closes the stream below. Synchronous; works from any context.
   *
   * @throws what `onClose` throws.
   */
  close(): void {
    try {
      this.hooks.onClose?.();
    } finally {
      this.#stream.close();
    }
  }

  /** As `close`, but aborts the stream below. */
  abort(): void {
    try {
      this.hooks.onClose?.();
    } finally {
      abortStream(this.#stream);
    }
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes as `close` does, and lets the stream below say goodbye if it has to. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.hooks.onClose?.();
    } finally {
      await this.#stream[Symbol.asyncDispose]();
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      return { done: false, value: await this.receive() };
    } catch (error) {
      if (error instanceof EndOfStream) return { done: true, value: undefined };
      throw error;
    }
  }

  async #send(hook: (() => unknown) | undefined, send: () => Promise<void>): Promise<void> {
    const refusal = ambientScope().refuse();
    if (refusal !== null) throw refusal;
    if (this.#sending) throw busyError("send", "sends on");
    this.#sending = true;
    try {
      if (hook !== undefined) await hook();
      await send();
    } finally {
      this.#sending = false;
    }
  }

  async #receive<T>(receive: () => Promise<T>): Promise<T> {
    const refusal = ambientScope().refuse();
    if (refusal !== null) throw refusal;
    if (this.#receiving) throw busyError("receive", "receives from");
    this.#receiving = true;
    try {
      await this.hooks.onReceive?.();
      return await receive();
    } finally {
      this.#receiving = false;
    }
  }

  #chunkBytes(): number {
    const { chunkBytes = CHUNK_BYTES_MAX } = this.hooks;
    const count = typeof chunkBytes === "function" ? chunkBytes() : chunkBytes;
    requireCount("HookedByteStream({ chunkBytes })", count, 1);
    return count;
  }
}

function busyError(operation: string, does: string): BusyResourceError {
  return new BusyResourceError(
    `HookedByteStream.${operation}: another task ${does} this stream at the moment; let one task do it, or take turns with a Lock`,
  );
}
