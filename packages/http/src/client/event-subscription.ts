import { BusyResourceError, Cancelled, CancelScope, withSignal } from "arborio";
import { onTaskEnd } from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { isValue } from "../protocol/characters.ts";
import { EventParser, type ReceivedEvent } from "../sse/event-parser.ts";
import { EventStreamError } from "../sse/event-stream-error.ts";
import {
  eventBytes,
  nextEvent,
  type ReadEventsOptions,
  requireCharacters,
} from "../sse/read-events.ts";
import { checkFetchOptions } from "./check-fetch-options.ts";
import type { FetchOptions } from "./client-options.ts";
import type { ClientResponse } from "./client-response.ts";
import { Reconnection } from "./reconnection.ts";
import {
  describe,
  requireCount,
  requireFinite,
  requireNumber,
  requireObject,
} from "./require-option.ts";
import { retryAfterMs } from "./retry-after-ms.ts";
import { withHeaders } from "./with-headers.ts";

/**
 * Options of `client.events`: of the requests, and when to come again. Each connection sends the body again, so it is no stream; `raiseForStatus` changes nothing,
 * since each status is judged here.
 */
export interface EventsOptions extends FetchOptions, ReadEventsOptions {
  /** The id of the last event that is known from before. Default: none. */
  readonly lastEventId?: string;
  /** Milliseconds until it connects again, unless the server says otherwise: by `retry`, or `Retry-After` while it is away. Default 3,000. */
  readonly retryMs?: number;
  /** Each time that connecting fails the wait doubles, up to so many milliseconds. Default 60,000. */
  readonly retryMsMax?: number;
  /** So many times in a row connecting may fail, until the error is thrown. Default `Infinity`. */
  readonly attemptsMax?: number;
}

const RETRY_MS = 3000;
const RETRY_MS_MAX = 60_000;
/** Nothing more is to be read (HTML Standard §9.2.3). */
const STATUS_NO_CONTENT = 204;

/** A server, or what stands before it, that is not there for a while. Browsers give up at these, which every rolling reload would be an end to. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Failures that another attempt may not meet. */
const PASSING_FAILURES: ReadonlySet<string> = new Set(["timeout", "unreachable", "disconnected"]);

/**
 * The events of a URL, across as many connections as it takes: asked for one after the other, by one task at a time. It connects when it is
 * asked for an event; when the connection ends it waits, and connects again with the id of the last event, so that the server can go on behind it.
 * Ends when the server says that there is no more (204), or when it is left or closed; with a warning, when the task ends that opened it.
 *
 * Source: HTML Standard §9.2. Counterpart: `EventSource`.
 */
export class EventSubscription
  implements AsyncIterableIterator<ReceivedEvent, undefined, undefined>, AsyncDisposable
{
  readonly #connect: (lastEventId: string) => Promise<ClientResponse>;
  readonly #parser: EventParser;
  readonly #attemptsMax: number;
  readonly #signal: AbortSignal | null;
  readonly #reconnection: Reconnection;
  #stream: ByteReceiveStream | null = null;
  #response: ClientResponse | null = null;
  #isBusy = false;
  #ended = false;
  /** Of the wait for a connection, which `close` ends. */
  #connecting: CancelScope | null = null;
  /** Told when the task ends that has opened it. */
  readonly #forgotten: Disposable;

  /** @internal */
  constructor(fetch: (options: FetchOptions) => Promise<ClientResponse>, options: EventsOptions) {
    requireObject("client.events(url, options)", options);
    const { lastEventId = "", retryMs = RETRY_MS, retryMsMax = RETRY_MS_MAX, ...more } = options;
    const { attemptsMax = Infinity, eventCharactersMax, ...rest } = more;
    requireFinite("client.events({ retryMs })", retryMs, 0);
    requireNumber("client.events({ retryMsMax })", retryMsMax, 0);
    requireCount("client.events({ attemptsMax })", attemptsMax, 1);
    checkFetchOptions(rest);
    requireSentAgain(rest);
    const limits = eventCharactersMax === undefined ? {} : { eventCharactersMax };
    const charactersMax = requireCharacters("client.events", limits);
    if (typeof lastEventId !== "string" || !isValue(asBytes(lastEventId)))
      throw new TypeError(
        `client.events({ lastEventId }): got ${JSON.stringify(lastEventId)}, needs text without control characters`,
      );
    this.#attemptsMax = attemptsMax;
    this.#signal = rest.signal ?? null;
    this.#reconnection = new Reconnection(retryMs, retryMsMax);
    this.#parser = new EventParser(charactersMax, lastEventId);
    this.#connect = (id) => fetch(requestOptions(rest, id));
    this.#forgotten = onTaskEnd(() => this.#forget());
  }

  /** The id that the next connection will begin with; `""`: none. */
  get lastEventId(): string {
    return this.#parser.lastEventId;
  }

  /**
   * The next event. Cancelled, none is lost.
   *
   * @throws EventStreamError if the server gives no event stream, and another attempt would not help; or an event is too large.
   * @throws RequestFailedError if there is no connection, and none to be hoped for.
   * @throws BusyResourceError if another task asks at the moment.
   */
  async next(): Promise<IteratorResult<ReceivedEvent, undefined>> {
    if (this.#isBusy) {
      throw new BusyResourceError(
        "client.events: another task waits for an event at the moment; let one task do it",
      );
    }
    this.#isBusy = true;
    try {
      while (!this.#ended) {
        const stream = this.#stream ?? (await this.#connected());
        const event = stream === null ? undefined : await this.#read(stream);
        if (event !== undefined) return { done: false, value: event };
      }
      return { done: true, value: undefined };
    } catch (error) {
      // Nothing follows an error, as with all iterators; only a wait that was cancelled can be taken up again.
      if (!(error instanceof Cancelled)) this.close();
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  /** `undefined`: the connection has ended. */
  async #read(stream: ByteReceiveStream): Promise<ReceivedEvent | undefined> {
    try {
      const event = await nextEvent(stream, this.#parser);
      if (event !== undefined) {
        this.#reconnection.given();
        return event;
      }
    } catch (error) {
      // Closed by another task.
      if (!this.#ended && !isPassing(error)) throw error;
    }
    this.#leave();
    return undefined;
  }

  /** `null`: there is none yet, or there will be none. */
  async #connected(): Promise<ByteReceiveStream | null> {
    const scope = new CancelScope();
    this.#connecting = scope;
    try {
      return (await scope.run(() => this.#open())) ?? null;
    } finally {
      this.#connecting = null;
    }
  }

  async #open(): Promise<ByteReceiveStream | null> {
    await this.#wait();
    let response: ClientResponse | null = null;
    try {
      response = await this.#connect(this.lastEventId);
      if (this.#ended || response.status === STATUS_NO_CONTENT) {
        response.close();
        this.close();
        return null;
      }
      this.#stream = eventBytes(response);
      this.#response = response;
      // Who asks next may be another task.
      response.keep();
      this.#reconnection.connected();
      this.#parser.restart();
      return this.#stream;
    } catch (error) {
      const awayMs = response === null ? 0 : (retryAfterMs(response) ?? 0);
      response?.close();
      // Who gave up waiting tells nothing of the server.
      if (error instanceof Cancelled) throw error;
      const failures = this.#reconnection.failed(awayMs);
      if (!isPassing(error) || failures >= this.#attemptsMax) throw error;
      return null;
    }
  }

  /** Requests hear the signal themselves; between them nobody else does. */
  async #wait(): Promise<void> {
    const { retryMs } = this.#parser;
    if (retryMs !== undefined) this.#reconnection.retryAfter(retryMs);
    if (this.#signal === null) await this.#reconnection.wait();
    else await withSignal(this.#signal, () => this.#reconnection.wait());
  }

  #leave(): void {
    this.#response?.close();
    this.#response = null;
    this.#stream = null;
  }

  #forget(): void {
    if (this.#response !== null)
      console.warn(
        "client.events: the task that opened them has ended, and nobody closed them; use: await using events = client.events(…)",
      );
    this.close();
  }

  /** Closes the connection, and ends the wait for one; there are no more events, also for who waits for one. */
  close(): void {
    this.#ended = true;
    this.#forgotten[Symbol.dispose]();
    this.#connecting?.cancel("the events were closed");
    this.#leave();
  }

  /** `close`, for who leaves a loop. */
  return(): Promise<IteratorResult<ReceivedEvent, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

function requestOptions(options: FetchOptions, lastEventId: string): FetchOptions {
  const id = asBytes(lastEventId);
  const defaults: [string, string][] = [
    ["accept", "text/event-stream"],
    ["cache-control", "no-store"],
  ];
  // What a field cannot have, a server cannot have meant to get back.
  if (id !== "" && isValue(id)) defaults.push(["last-event-id", id]);
  const headers = withHeaders(options.headers, { defaults });
  // A stream may be silent for long: only the scope around, or { timeouts }, limits that.
  const timeouts = { bodyMs: Infinity, ...options.timeouts };
  return { ...options, headers, timeouts, raiseForStatus: false };
}

/** UTF-8, each byte a character, as fields are sent (HTML Standard §9.2.3). */
function asBytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function isPassing(error: unknown): boolean {
  if (error instanceof EventStreamError)
    return error.reason === "status" && PASSING_STATUSES.has(error.status);
  return error instanceof RequestFailedError && PASSING_FAILURES.has(error.reason);
}

/** @throws TypeError if the body can be sent only once: the second connection would send nothing. */
function requireSentAgain({ body }: FetchOptions): void {
  if (typeof body !== "object" || body === null || ArrayBuffer.isView(body)) return;
  if (LASTING_BODIES.some((kind) => body instanceof kind)) return;
  throw new TypeError(
    `client.events({ body }): got ${describe(body)}, which can be sent only once, and each connection sends it; needs text, bytes, a form, a Blob, or a function that sends it`,
  );
}

const LASTING_BODIES: readonly (abstract new (...args: never[]) => object)[] = [
  ArrayBuffer,
  Blob,
  FormData,
  URLSearchParams,
];
