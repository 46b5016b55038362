/** Where a {@link BodyProducer} puts the body, piece by piece. */
export interface BodySink {
  /**
   * Sends a piece of the body and waits until the connection has taken it: this is the backpressure of the client. The piece leaves
   * at once, as a chunk of its own where the length is not known; nothing is held back to be joined with the next. A string is sent
   * as UTF-8, an empty piece sends nothing. Do not change the bytes until the promise settles.
   *
   * One `send` at a time. Cancelled, the body cannot be continued: how much of the piece has left is not known, and further sends are refused.
   *
   * @throws Cancelled if the request is over: the client has left, the server gave up waiting, a deadline has passed.
   * @throws BrokenResourceError if the client has left, seen while sending.
   * @throws BusyResourceError if another task is sending at the moment.
   * @throws ClosedResourceError after the producer has ended.
   * @throws InvalidStateError after a `send` that was cancelled.
   */
  send(piece: Uint8Array | string): Promise<void>;
}

/**
 * A body that is made while it is being sent: a function given as the body of an `HttpResponse`.
 *
 * The server calls it at most once, after the head has been sent, inside the request's scope: it is cancelled when the client leaves,
 * it sees the server's shutdown (`currentScope().shuttingDown`), and all that it starts has ended when the request has ended. The body
 * ends when it returns. If it throws, the client learns that the body is incomplete (the connection ends without the last chunk), and
 * the error is reported as one of a handler.
 *
 * It is not called where no body is sent (an answer to HEAD, or a response that nobody sends): take hold of resources inside it,
 * not before.
 */
export type BodyProducer = (sink: BodySink) => Promise<void>;
