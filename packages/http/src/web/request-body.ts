import type { ByteReceiveStream } from "arborio/streams";
import type { FieldList } from "../protocol/message.ts";

/**
 * The body of a request as the connection gives it: a byte stream that knows its length and its limit. Receiving is what makes
 * the connection read on, and what sends `100 Continue` to a client that waits for it.
 *
 * It ends with `EndOfStream` when the whole body has come. A client that left before is a `BrokenResourceError`; a body that breaks
 * the protocol a `ProtocolError`; a body over the limit a `BodyTooLargeError`.
 */
export interface RequestBody extends ByteReceiveStream {
  /** Bytes of the whole body as announced by `Content-Length`; `undefined` if it tells its end itself (chunked). */
  readonly length: number | undefined;
  /**
   * So many bytes the whole body may have; more is a `BodyTooLargeError`: by its announced length at the first `receive`, before
   * anything is read, else as soon as it is passed. May be set, up or down, as long as it was not passed; `Infinity` lifts it.
   */
  bytesMax: number;
  /** Whether something was received, or somebody is about to. */
  readonly isTouched: boolean;
  /** The trailer fields. Complete when the body has ended, empty before and if there are none. */
  readonly trailers: FieldList;
  /**
   * All of the body, if nothing of it was received and all of it has come, and it is within the limit; else `null`, and nothing has
   * happened. It saves small bodies the waiting. Not a checkpoint.
   */
  wholeNowait?(): Uint8Array | null;
}
