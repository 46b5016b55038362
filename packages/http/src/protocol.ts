/**
 * The HTTP/1.1 protocol without I/O: bytes to messages and back, for both roles. What servers and clients are built on.
 *
 * @module
 */

// Messages
export type {
  BodyFraming,
  FieldList,
  HttpVersion,
  MessageHead,
  RequestHead,
  ResponseHead,
} from "./protocol/message.ts";

// Limits
export { DEFAULT_PROTOCOL_LIMITS, type ProtocolLimits } from "./protocol/limits.ts";

// Errors
export { ProtocolError } from "./protocol/protocol-error.ts";

// Event streams
export { encodeEvent, type ServerSentEvent } from "./protocol/encode-event.ts";
