/**
 * HTTP for Arborio.
 *
 * @module
 */

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

// Watching a server
export type {
  RequestOutcome,
  ServerTrace,
  TracedConnection,
  TracedEnd,
  TracedRequest,
} from "./ops/server-trace.ts";
export { combineTraces } from "./ops/combine-traces.ts";
