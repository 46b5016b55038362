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
export { type Rule, RULES } from "./protocol/rules.ts";

// Bytes to messages
export { MessageParser } from "./protocol/message-parser.ts";
export { RequestParser } from "./protocol/request-parser.ts";
export { ResponseParser } from "./protocol/response-parser.ts";

// Messages to bytes
export {
  CHUNK_END,
  chunkHead,
  lastChunk,
  requestHead,
  responseHead,
} from "./protocol/serialize.ts";
export {
  requireFieldName,
  requireFieldValue,
  requireMethod,
  requireReason,
  requireStatus,
  requireTarget,
} from "./protocol/require-text.ts";
export { REASONS } from "./protocol/reasons.ts";
export { formatHttpDate, parseHttpDate } from "./protocol/http-date.ts";
