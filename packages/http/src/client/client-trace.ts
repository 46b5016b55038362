import type { FieldList } from "../protocol/message.ts";

/** A request that is sent, as hooks see it. The same object in every call that is about it: a key for a `WeakMap` of spans. */
export interface SentRequest {
  /** As it is sent. */
  readonly method: string;
  /** Where it goes, without credentials and fragment. */
  readonly url: string;
  /** Its fields; those that carry credentials are among them. */
  readonly fields: FieldList;
  /** How often the same was sent before: for a redirect, or by middleware that tries again. */
  readonly resends: number;
  /** Moment of `now()`. */
  readonly startedAt: number;
}

/** The head of a response, as hooks see it. */
export interface TracedResponse {
  /** 101, or 200 to 999. */
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: FieldList;
  /** `"1.0"` or `"1.1"`. */
  readonly httpVersion: string;
}

/** How a request that was sent has ended. */
export type ExchangeOutcome =
  /** The whole response was received. */
  | "complete"
  /** What received the response wanted no more of it. */
  | "left"
  /** There was no response, or not all of it. */
  | "failed"
  /** Its scope was cancelled, or its signal aborted, before there was a response. */
  | "cancelled"
  /** The connection was given to another protocol. */
  | "upgraded";

/** What has become of a request that was sent. */
export interface ExchangeEnd {
  /** How it has ended. */
  readonly outcome: ExchangeOutcome;
  /** `null`: there was none. */
  readonly response: TracedResponse | null;
  /** Bytes of the response's body that were given, decompressed. */
  readonly bodyBytes: number;
  /** Bytes of the response's body that were received, as they came. */
  readonly bytesReceived: number;
  /** Moment of `now()`. */
  readonly endedAt: number;
}

/**
 * Hooks that see what a client does, for logs, metrics and tracing. Those that are absent cost nothing.
 *
 * A request is told of each time that it goes to the network: redirects, and what middleware sends again, are requests of their own, and what middleware
 * answers itself is none. Hooks are called synchronously, in the task that fetches or reads, and must be quick. What a hook throws, or a promise that it gives is rejected with, is written
 * to the console, and changes nothing; nobody waits for such a promise. `requestStart` and `requestEnd` come in pairs; all others of a request come between them, but `redirect`, which follows upon its end.
 *
 * Counterpart: `aiohttp.TraceConfig`.
 *
 * @example Count the requests in flight
 * ```ts
 * import type { ClientTrace } from "@arborio/http";
 *
 * let inFlight = 0;
 * const trace: ClientTrace = {
 *   requestStart: () => void (inFlight += 1),
 *   requestEnd: () => void (inFlight -= 1),
 * };
 * console.assert(inFlight === 0 && trace.requestStart !== undefined);
 * ```
 */
export interface ClientTrace {
  /** It is about to be sent. */
  requestStart?(request: SentRequest): void;
  /** No connection was free: it waits for one, or for a new one. */
  connectionQueued?(request: SentRequest): void;
  /** A connection is being made for it: look-up, TCP, proxy, TLS. */
  connectionStart?(request: SentRequest): void;
  /** The connection is there; or why it is not. */
  connectionEnd?(request: SentRequest, error: unknown): void;
  /** It goes over a connection that was used before. */
  connectionReused?(request: SentRequest): void;
  /** A piece of its body was taken: how many bytes of it have been, and how many there are, if that is known. */
  uploadProgress?(request: SentRequest, bytesSent: number, bytesTotal: number | undefined): void;
  /** The head of its response is there. */
  responseStart?(request: SentRequest, response: TracedResponse): void;
  /** A piece of the response's body was received: how many bytes, decompressed, have been. */
  downloadProgress?(request: SentRequest, bytesReceived: number): void;
  /** There was no response, or not all of it. Not for what was cancelled. */
  requestError?(request: SentRequest, error: unknown): void;
  /** It is over. */
  requestEnd?(request: SentRequest, end: ExchangeEnd): void;
  /** The redirect from `url`, with this status, is followed: to `location`, without credentials. */
  redirect?(url: string, status: number, location: string): void;
  /** The addresses of a host are looked up: not found among those that are kept. Requests that need the same share it. */
  lookupStart?(host: string): void;
  /** The look-up has ended. */
  lookupEnd?(host: string, addresses: readonly string[] | null, error: unknown): void;
}

/** All hooks. */
export const HOOKS: readonly (keyof ClientTrace)[] = [
  "requestStart",
  "connectionQueued",
  "connectionStart",
  "connectionEnd",
  "connectionReused",
  "uploadProgress",
  "responseStart",
  "downloadProgress",
  "requestError",
  "requestEnd",
  "redirect",
  "lookupStart",
  "lookupEnd",
];
