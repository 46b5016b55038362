import type { FieldList } from "../protocol/message.ts";
import type { Payload } from "../web/payload.ts";
import type { ExchangeTimeouts, OnInterim } from "./client-core.ts";

/** A request as a connection sends it. */
export interface OutgoingRequest {
  /** For messages, without credentials. */
  readonly url: string;
  readonly method: string;
  /** As it goes on the line: a path with a query, an absolute URL for a proxy, an authority for CONNECT, or `*`. */
  readonly target: string;
  /** The fields as text, checked, each with its line end; without those that the connection sets: the framing of the body. */
  readonly fieldText: string;
  readonly payload: Payload;
  /** Bytes of a payload that is a stream, if they are known. */
  readonly payloadBytes: number | undefined;
  /** Gives the fields to send after the body; `null`: none. */
  readonly trailers: (() => FieldList) | null;
  /** Whether the server is asked before the body is sent. */
  readonly expectsContinue: boolean;
  /** The protocol that the server is asked to switch to; `""`: none. `fieldText` has the fields for it. */
  readonly upgrade: string;
  /** Bytes that the body of the response may have. */
  readonly bodyBytesMax: number;
  /** Aborts the reading of the response's body; until its head is there, whoever waits for that is cancelled. */
  readonly signal: AbortSignal | null;
  readonly timeouts: ExchangeTimeouts;
  readonly onInterim: OnInterim | null;
  /** Told after each piece of the body how many bytes of it have been taken. */
  readonly onSent: ((bytesSent: number) => void) | null;
}
