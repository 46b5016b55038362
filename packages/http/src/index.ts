/**
 * HTTP for Arborio.
 *
 * @module
 */

// Serving
export { openServer, serve } from "./server/open-server.ts";
export type { Handler, Server } from "./server/server.ts";
export type { RequestContext } from "./server/request-context.ts";
export type {
  HandlingOptions,
  ServerLimits,
  ServerOptions,
  ServerTimeouts,
} from "./server/server-options.ts";

// Requests and responses
export { HttpRequest } from "./web/http-request.ts";
export { HttpResponse, type HttpResponseInit } from "./web/http-response.ts";
export { FieldHeaders } from "./web/field-headers.ts";
export type { BodySource } from "./web/payload.ts";
export type { BodyProducer, BodySink } from "./web/body-producer.ts";

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
export type { ServerSentEvent } from "./protocol/encode-event.ts";

// Watching a server
export type {
  RequestOutcome,
  ServerTrace,
  TracedConnection,
  TracedEnd,
  TracedRequest,
} from "./ops/server-trace.ts";
export { combineTraces } from "./ops/combine-traces.ts";

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
