import { withSignal } from "arborio";
import { NetworkDialer } from "../dial/network-dialer.ts";
import type { Dialer } from "../dial/dialer.ts";
import { Routes } from "../dial/routes.ts";
import { DEFAULT_PROTOCOL_LIMITS } from "../protocol/limits.ts";
import { fieldsFrom } from "../web/fields-from.ts";
import { firstField, isName } from "../web/field-names.ts";
import { contentOf, type Payload } from "../web/payload.ts";
import type {
  ClientLimits,
  ClientTimeouts,
  FetchOptions,
  HttpClientOptions,
} from "./client-options.ts";
import { ClientRequest } from "./client-request.ts";
import type { ClientResponse } from "./client-response.ts";
import { CollectedResponse } from "./collected-response.ts";
import type { Middleware, Next } from "./middleware.ts";
import { EventSubscription, type EventsOptions } from "./event-subscription.ts";
import { type ClientWebSocketOptions, openClientWebSocket } from "./open-client-web-socket.ts";
import type { WebSocketConnection } from "../websocket/web-socket-connection.ts";
import { RequestUrls } from "./request-url.ts";
import { Transport } from "./transport.ts";

const DEFAULT_TIMEOUTS: ClientTimeouts = {
  poolMs: Infinity,
  connectMs: 30_000,
  headMs: 60_000,
  bodyMs: 60_000,
  writeMs: 60_000,
  continueMs: 1000,
  idleMs: 15_000,
};

const DEFAULT_LIMITS: ClientLimits = {
  ...DEFAULT_PROTOCOL_LIMITS,
  connectionsMax: 100,
  originConnectionsMax: 100,
  redirectsMax: 10,
};

/** What every request says unless told otherwise. */
const DEFAULT_FIELDS: readonly string[] = ["user-agent", "arborio", "accept", "*/*"];

/** A client of HTTP. Made by `openHttpClient`. */
export class HttpClient implements AsyncDisposable {
  readonly #urls: RequestUrls;
  readonly #dialer: Dialer;
  readonly #transport: Transport;
  readonly #timeouts: ClientTimeouts;
  readonly #fields: readonly string[];
  readonly #routes: Routes;
  readonly #send: Next;

  /** @internal */
  constructor(options: HttpClientOptions, dialer: Dialer) {
    this.#dialer = dialer;
    this.#routes = new Routes(options);
    this.#urls = new RequestUrls(options.base === undefined ? undefined : String(options.base));
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.#fields = Object.freeze(mergedFields(DEFAULT_FIELDS, options.headers));
    this.#transport = new Transport({ ...DEFAULT_LIMITS, ...options.limits }, dialer, (message) =>
      console.warn(message),
    );
    this.#transport.expect(this.#timeouts);
    const last: Next = (request) =>
      this.#transport.send(request, {
        route: this.#routes.of(request.target, request.options),
        timeouts: this.#timeouts,
      });
    this.#send = composed(options.middleware ?? [], last);
  }

  /**
   * Sends a request and gives its response when the head of that is there.
   *
   * @throws RequestFailedError if there is no response.
   */
  async fetch(input: string | URL | Request, options: FetchOptions = {}): Promise<ClientResponse> {
    const { signal } = options;
    if (signal === undefined || signal === null)
      return await this.#send(this.#request(input, options));
    return await withSignal(signal, () => this.#send(this.#request(input, options)));
  }

  /** `fetch`, with the whole body: the cheapest form. */
  async request(
    input: string | URL | Request,
    options: FetchOptions = {},
  ): Promise<CollectedResponse> {
    using response = await this.fetch(input, options);
    return new CollectedResponse(response, await response.bytes());
  }

  /**
   * Opens a WebSocket (RFC 6455), by a request that passes all that other requests pass.
   *
   * Close it, by `await using` or `close()`: else it lives until the other side closes it, or `main` has ended.
   *
   * @param url of `ws:` or `wss:`, or of `http:` or `https:`, or relative to the client's base.
   * @throws WebSocketHandshakeError if the server gives none.
   * @throws RequestFailedError if there is no response.
   * @throws TypeError, RangeError for wrong options.
   *
   * @example
   * ```ts
   * import { run } from "arborio";
   * import { openHttpClient, openServer, upgradeWebSocket } from "@arborio/http";
   *
   * await run(async () => {
   *   await using server = await openServer(
   *     (request, context) =>
   *       upgradeWebSocket(request, context, async (socket) => {
   *         for await (const message of socket) await socket.send(message);
   *       }),
   *     { port: 0 },
   *   );
   *   await using client = openHttpClient({ base: server.url });
   *   await using socket = await client.webSocket("/");
   *   await socket.send("hello");
   *   console.assert((await socket.receive()) === "hello");
   * });
   * ```
   */
  webSocket(url: string | URL, options: ClientWebSocketOptions = {}): Promise<WebSocketConnection> {
    return openClientWebSocket((to, how) => this.fetch(to, how), url, options);
  }

  /**
   * The events of a URL (server-sent events), across connections that end: asked for one after the other. It connects when it is first asked.
   *
   * @throws TypeError, RangeError for wrong options.
   *
   * @example
   * ```ts
   * import { run } from "arborio";
   * import { eventStreamResponse, openHttpClient, openServer } from "@arborio/http";
   *
   * await run(async () => {
   *   await using server = await openServer(
   *     (request) =>
   *       eventStreamResponse(request, (events) => events.send({ id: "1", data: "hello" })),
   *     { port: 0 },
   *   );
   *   await using client = openHttpClient({ base: server.url });
   *   for await (const event of client.events("/")) {
   *     console.assert(event.data === "hello" && event.lastEventId === "1");
   *     break;
   *   }
   * });
   * ```
   */
  events(url: string | URL, options: EventsOptions = {}): EventSubscription {
    return new EventSubscription((how) => this.fetch(url, how), options);
  }

  /** Forgets the addresses of a host, or of all; connections that are there are kept. */
  clearDnsCache(host?: string): void {
    this.#dialer.clearDnsCache(host);
  }

  /** Closes all connections. What goes on is broken off. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#transport.close();
    return Promise.resolve();
  }

  #request(input: string | URL | Request, options: FetchOptions): ClientRequest {
    if (input instanceof Request) throw new TypeError("not yet");
    const { method = "GET", headers, body, json } = options;
    let payload: Payload = null;
    let payloadBytes: number | undefined;
    let fields = this.#fields;
    let type = "";
    if (json !== undefined) {
      payload = JSON.stringify(json);
      type = "application/json";
    } else if (body !== undefined && body !== null) {
      const content = contentOf("fetch", body);
      payload = content.body as Payload;
      payloadBytes = content.bytes;
      type = content.type;
    }
    if (headers !== undefined) fields = mergedFields(fields, headers);
    if (type !== "" && firstField(fields, "content-type") === null)
      fields = [...fields, "content-type", type];
    return new ClientRequest({
      method,
      target: this.#urls.parse(input),
      fields,
      payload,
      payloadBytes,
      options,
    });
  }
}

/**
 * Opens a client of HTTP: a pool of connections that are kept for the next request.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(() => new HttpResponse("hello"), { port: 0 });
 *   await using client = openHttpClient({ base: server.url });
 *   const response = await client.fetch("/");
 *   console.assert((await response.text()) === "hello");
 * });
 * ```
 */
export function openHttpClient(options: HttpClientOptions = {}): HttpClient {
  return new HttpClient(options, new NetworkDialer(options));
}

function composed(middleware: readonly Middleware[], last: Next): Next {
  return middleware.reduceRight<Next>((next, one) => (request) => one(request, next), last);
}

function mergedFields(
  fields: readonly string[],
  headers: HeadersInit | undefined,
): readonly string[] {
  if (headers === undefined) return fields;
  const given = fieldsFrom("fetch({ headers })", headers);
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase();
    let isGiven = false;
    for (let other = 0; other < given.length; other += 2)
      if (isName(given[other] as string, name)) isGiven = true;
    if (!isGiven) kept.push(fields[at] as string, fields[at + 1] as string);
  }
  return [...kept, ...given];
}
