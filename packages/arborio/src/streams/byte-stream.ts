/**
 * The interfaces of streams, with what each implementation promises. `testing/` has a conformance suite for byte streams.
 *
 * For every operation: it is a checkpoint; cancelled, it had no effect (one exception: `ByteSendStream.send`); errors are
 * `ClosedResourceError` (you closed it, also while waiting), `BrokenResourceError` (the other side or the world broke it),
 * `BusyResourceError` (another task does the same on this stream at the moment) and `EndOfStream`.
 */

/** Largest chunk, in bytes, that `receive` returns unless told otherwise. */
export const CHUNK_BYTES_MAX = 65_536;

/** Something to receive bytes from. Where one chunk ends and the next begins means nothing. Counterpart: `anyio.abc.ByteReceiveStream`. */
export interface ByteReceiveStream extends AsyncIterable<Uint8Array>, AsyncDisposable, Disposable {
  /**
   * Waits for bytes. Cancelled, it lost none.
   *
   * @param maxBytes at most so many; a whole number from 1 on. Default 65,536.
   * @returns at least one byte. They are yours, with their memory: it may be changed, and transferred.
   * @throws EndOfStream if the other side has ended; also when asked again.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  receive(maxBytes?: number): Promise<Uint8Array>;
  /**
   * `receive` into memory that you have: no chunk is made for you.
   *
   * @param view where the bytes go, from its start; at least one byte long.
   * @returns how many bytes came, at least 1.
   * @throws as `receive`.
   */
  receiveInto(view: Uint8Array): Promise<number>;
  /** Closes the stream. Synchronous; works from any context; a second call does nothing. */
  close(): void;
}

/** Something to send bytes to. Counterpart: `anyio.abc.ByteSendStream`. */
export interface ByteSendStream extends AsyncDisposable, Disposable {
  /**
   * Sends all of `bytes`; waits until the system, or the next layer, has taken them. Do not change them until then.
   *
   * Cancelled before its first byte was taken, it had no effect. Cancelled after it, it throws `Cancelled` and the sending half
   * is broken: from then on `send` throws `BrokenResourceError`, since nobody can know how much the other side got.
   *
   * @throws ClosedResourceError after `close` and `sendEof`.
   * @throws BrokenResourceError, BusyResourceError as every stream.
   */
  send(bytes: Uint8Array): Promise<void>;
  /** Closes the stream. Synchronous; works from any context; a second call does nothing. */
  close(): void;
  /**
   * Closes the stream so that the other side learns that it has not got everything, where the transport can tell it. Without this
   * method, or where the transport cannot, that is the same as `close`. Synchronous; works from any context; after `close` it does
   * nothing.
   */
  abort?(): void;
}

/** Closes a stream whose sender has not finished. */
export function abortStream(stream: { close(): void; abort?(): void }): void {
  if (typeof stream.abort === "function") stream.abort();
  else stream.close();
}

/** Both directions. Counterpart: `anyio.abc.ByteStream`. */
export interface ByteStream extends ByteReceiveStream, ByteSendStream {
  /**
   * Ends the sending half: the other side receives what was sent, then `EndOfStream`. Receiving goes on. A second call does
   * nothing.
   *
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  sendEof(): Promise<void>;
}

/** Something to receive items from, in order, none lost. A `ReceiveChannel` is one. Counterpart: `anyio.abc.ObjectReceiveStream`. */
export interface ObjectReceiveStream<T> extends AsyncIterable<T>, Disposable {
  /**
   * Waits for an item. Cancelled, it lost none.
   *
   * @throws EndOfStream if there will be no more.
   */
  receive(): Promise<T>;
  /** Closes the stream. Synchronous; a second call does nothing. */
  close(): void;
}

/** Something to send items to, in order. A `SendChannel` is one. Counterpart: `anyio.abc.ObjectSendStream`. */
export interface ObjectSendStream<T> extends Disposable {
  /** Sends an item. Cancelled, it was not sent. */
  send(item: T): Promise<void>;
  /** Closes the stream. Synchronous; a second call does nothing. */
  close(): void;
}

/** Items in both directions. Counterpart: `anyio.abc.ObjectStream`. */
export interface ObjectStream<T> extends ObjectReceiveStream<T>, ObjectSendStream<T> {
  /** Ends the sending half. */
  sendEof(): Promise<void>;
}
