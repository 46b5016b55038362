/**
 * HTTP for Arborio.
 *
 * @module
 */

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
