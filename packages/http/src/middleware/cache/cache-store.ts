import type { FieldList, HttpVersion } from "../../protocol/message.ts";

/** A response as a cache keeps it: plain data, which can be written to a file or a database. */
export interface CachedResponse {
  /** 200 to 501. */
  readonly status: number;
  /** The reason phrase. */
  readonly reason: string;
  /** The version that the server spoke. */
  readonly version: HttpVersion;
  /** Names and values in turn; without those of a connection, and without `Set-Cookie`. */
  readonly fields: FieldList;
  /** All of the body, without codings. Nobody may change it. */
  readonly bytes: Uint8Array;
  /** What of the request the response was chosen by (`Vary`): names in lower case, and values. */
  readonly vary: FieldList;
  /** When it was asked for, in milliseconds since 1970. */
  readonly requestedAt: number;
}

/**
 * Where `httpCache` keeps responses. A key stands for a method and a URL, and for whom the response is; the value is the responses to it that differ
 * by `Vary`, at most 8. A store may forget what it wants, whenever it wants. Keys hold no secrets; what is kept is as secret as the responses are.
 *
 * An error of a store fails no request: `onError` of the cache is told.
 */
export interface CacheStore {
  /** What was set, or `undefined`. */
  get(key: string): CachedResponses | undefined | PromiseLike<CachedResponses | undefined>;
  /** Takes the place of what was there. */
  set(key: string, responses: CachedResponses): void | PromiseLike<void>;
  /** Forgets. */
  delete(key: string): void | PromiseLike<void>;
}

/** Responses to the same request that differ by `Vary`, the newest first. */
export type CachedResponses = readonly CachedResponse[];
