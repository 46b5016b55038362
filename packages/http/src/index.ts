/**
 * HTTP for Arborio: a server over one strict HTTP/1.1 engine, on Node, Bun, Deno and in the simulator. A handler takes the web's `Request` and
 * gives a `Response`, so `hono.fetch` is one; what goes on for a request ends with it.
 *
 * @example A server that greets, and one request to it
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(
 *     async (request) => new HttpResponse(`hello, ${await request.text()}`),
 *     { port: 0 },
 *   );
 *   const response = await fetch(server.url, { method: "POST", body: "world" });
 *   console.assert((await response.text()) === "hello, world");
 * });
 * ```
 * @module
 */

// Serving
export { openServer, serve } from "./server/open-server.ts";
export type { Handler } from "./server/handler.ts";
export type { Server } from "./server/server.ts";
export type { RequestContext, UpgradeOptions } from "./server/request-context.ts";
export type { Continuation } from "./connection/run-upgrade.ts";
export type { ServerStatistics } from "./server/server-statistics.ts";
export type {
  HandlingOptions,
  ServerLimits,
  ServerOptions,
  ServerTimeouts,
} from "./server/server-options.ts";

// Asking
export { type Fetch, HttpClient, openHttpClient } from "./client/http-client.ts";
export type {
  Auth,
  ClientLimits,
  ClientTimeouts,
  Credentials,
  FetchOptions,
  HttpClientOptions,
  IgnoredInit,
  Query,
  QueryValue,
  RequestDefaults,
  RequestHeaders,
} from "./client/client-options.ts";
export type {
  DecompressionLimits,
  RequestBodyOptions,
  ResponseBodyOptions,
} from "./client/body-options.ts";
export { ClientRequest, type RequestChanges } from "./client/client-request.ts";
export { ClientResponse } from "./client/client-response.ts";
export type { ClientStatistics } from "./client/client-statistics.ts";
export { CollectedResponse } from "./client/collected-response.ts";
export type { Middleware, Next } from "./client/middleware.ts";
export type { ProxyChoice, ProxyLike, ProxyOptions, RouteOptions } from "./dial/route-options.ts";
export type { ProxyCredentials } from "./dial/route.ts";
export type { DialOptions } from "./dial/dial-options.ts";
export type { DialTarget } from "./dial/dial-target.ts";
export { createProxyChooser, type ProxyChooser } from "./protocol/proxy-environment.ts";
export { CookieJar, type CookieJarOptions } from "./client/cookie-jar.ts";
export type { CookieJarState, KeptCookie } from "./client/cookie-state.ts";
export { StatusError } from "./client/status-error.ts";
export {
  type FailurePhase,
  type FailureReason,
  RequestFailedError,
} from "./connection/request-failed-error.ts";
export { ProxyRefusedError } from "./dial/proxy-refused-error.ts";

// Between a client and the network
export {
  type RequestRetry,
  retryRequests,
  type RetryRequestsOptions,
} from "./middleware/retry-requests.ts";
export { limitRate, type LimitRateOptions } from "./middleware/limit-rate.ts";
export {
  type CircuitBreaker,
  circuitBreaker,
  type CircuitBreakerOptions,
  type CircuitState,
} from "./middleware/circuit-breaker.ts";
export {
  type HttpCache,
  httpCache,
  type HttpCacheOptions,
  type HttpCacheStatistics,
} from "./middleware/http-cache.ts";
export { cacheOutcome, type CacheOutcome } from "./middleware/cache/cache-outcome.ts";
export type {
  CachedResponse,
  CachedResponses,
  CacheStore,
} from "./middleware/cache/cache-store.ts";
export {
  createMemoryCacheStore,
  type MemoryCacheStatistics,
  type MemoryCacheStore,
  type MemoryCacheStoreOptions,
} from "./middleware/cache/memory-cache-store.ts";
export { digestAuth, type DigestAuthOptions } from "./middleware/digest-auth.ts";
export { netrcAuth, type NetrcAuthOptions } from "./middleware/netrc-auth.ts";
export {
  type AddressGuard,
  publicAddressesOnly,
  type PublicAddressesOnlyOptions,
} from "./middleware/public-addresses-only.ts";

// Requests and responses
export { HttpRequest } from "./web/http-request.ts";
export { HttpResponse, type HttpResponseInit } from "./web/http-response.ts";
export { patchGlobalRequest } from "./web/patch-global-request.ts";
export { patchGlobalResponse } from "./web/patch-global-response.ts";
export { FieldHeaders } from "./web/field-headers.ts";
export type { HeadersSource } from "./web/headers-source.ts";
export type { BodySource } from "./web/payload.ts";
export type { BodyProducer, BodySink } from "./web/body-producer.ts";

// Files
export { serveFile, type ServeFileOptions } from "./files/serve-file.ts";
export {
  type DirectoryHandler,
  serveDirectory,
  type ServeDirectoryOptions,
} from "./files/serve-directory.ts";
export type { FollowLinks } from "./files/served-folder.ts";
export type { PrecompressedFormat } from "./files/precompressed.ts";
export { contentTypeOf } from "./files/content-type-of.ts";

// Conditions, ranges and preferences of clients
export {
  type ConditionalRequest,
  evaluateIfRange,
  evaluatePreconditions,
  type Precondition,
  type Validators,
} from "./files/conditional.ts";
export { type ByteRange, parseRange, type RangeDecision } from "./files/ranges.ts";
export { preferredEncodings } from "./negotiation/preferred-encodings.ts";
export { preferredLanguage } from "./negotiation/preferred-language.ts";
export { preferredType } from "./negotiation/preferred-type.ts";

// Compression
export { compress, type CompressOptions } from "./negotiation/compress.ts";
export type { ContentCoding } from "./negotiation/content-coding.ts";
export { decompressBody, type DecompressLimits } from "./negotiation/decompress-body.ts";

// Forms
export { formParts, readForm } from "./web/read-form.ts";
export type { FormLimits } from "./web/form-limits.ts";
export type { FormPart } from "./web/form-part.ts";

// Cookies
export {
  type CookieOptions,
  type CookieScope,
  type CookieTarget,
  deleteCookie,
  getCookies,
  setCookie,
} from "./web/cookies.ts";

// Errors
export {
  BodyTooLargeError,
  HttpError,
  type HttpErrorOptions,
  InvalidJsonError,
} from "./web/http-error.ts";
export { ProtocolError } from "./protocol/protocol-error.ts";
export { errorResponse, type ErrorResponseOptions, isClientError } from "./ops/error-response.ts";

// Server-sent events
export { eventStreamResponse, type EventStreamOptions } from "./sse/event-stream-response.ts";
export type { EventProducer, EventSink } from "./sse/produce-events.ts";
export { EventSubscription, type EventsOptions } from "./client/event-subscription.ts";
export { readEvents, type ReadEventsOptions } from "./sse/read-events.ts";
export type { ReceivedEvent } from "./sse/event-parser.ts";
export { EventStreamError, type EventStreamFailure } from "./sse/event-stream-error.ts";
export type { ServerSentEvent } from "./protocol/encode-event.ts";

// WebSockets
export { upgradeWebSocket } from "./websocket/upgrade-web-socket.ts";
export type { UpgradeWebSocketOptions } from "./websocket/upgrade-options.ts";
export type { WebSocketBody } from "./websocket/run-web-socket.ts";
export type { WebSocketConnection } from "./websocket/web-socket-connection.ts";
export type { ReceivedMessage } from "./websocket/received-message.ts";
export { WebSocketClosedError } from "./websocket/web-socket-closed-error.ts";
export { WebSocketMessageError } from "./websocket/web-socket-message-error.ts";
export type { WebSocketCompression, WebSocketOptions } from "./websocket/web-socket-options.ts";
export type { ClientWebSocketOptions } from "./client/open-client-web-socket.ts";
export { WebSocketHandshakeError } from "./client/web-socket-handshake-error.ts";
export { WebSocketProtocolError } from "./protocol/websocket/websocket-protocol-error.ts";
export type { AllowedOrigins } from "./protocol/websocket/allows-origin.ts";
export type { MessageType } from "./protocol/websocket/frame.ts";

// Watching a client
export type {
  ClientTrace,
  ExchangeEnd,
  ExchangeOutcome,
  SentRequest,
  TracedResponse,
} from "./client/client-trace.ts";
export { combineClientTraces } from "./ops/combine-client-traces.ts";
export { exchangeAttributes, sentAttributes } from "./ops/client-trace-attributes.ts";

// Watching a server
export type {
  RequestOutcome,
  ServerTrace,
  TracedConnection,
  TracedEnd,
  TracedRequest,
} from "./ops/server-trace.ts";
export { combineTraces } from "./ops/combine-traces.ts";
export { accessLog, type AccessLogOptions } from "./ops/access-log.ts";
export type { AccessLogEntry } from "./ops/access-log-line.ts";
export { endAttributes, requestAttributes, type TraceAttributes } from "./ops/trace-attributes.ts";
export { childTrace, parseTrace, type TraceContext, traceFields } from "./ops/trace-context.ts";

// Health
export {
  createHealthChecks,
  type HealthCheck,
  type HealthChecks,
  type HealthChecksOptions,
  type HealthStatus,
} from "./ops/health-checks.ts";

// Behind proxies
export {
  type ClientOf,
  type ConnectionFacts,
  createClientOf,
  type RequestClient,
  type TrustedProxies,
  type TrustProxies,
  type TrustProxiesOptions,
} from "./ops/forwarded.ts";
export { type AddressMatcher, createAddressMatcher } from "./ops/address-ranges.ts";
