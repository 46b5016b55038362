/**
 * The HTTP/1.1 protocol without I/O: bytes to messages and back, for both roles. What servers and clients are built on. Nothing here
 * waits, and nothing knows of sockets: bytes go in and messages come out, strictly by RFC 9110 and RFC 9112, within limits.
 * Beside it, as strict and as pure, what stands in fields and around connections: challenges and their answers, links, names of files,
 * proxies.
 *
 * @example A request, read and answered
 * ```ts
 * import { RequestParser, responseHead } from "@arborio/http/protocol";
 *
 * const parser = new RequestParser();
 * parser.push(new TextEncoder().encode("GET /hello HTTP/1.1\r\nHost: example.org\r\n\r\n"));
 * const request = parser.readHead();
 * const head = responseHead("1.1", request?.target === "/hello" ? 200 : 404, "", ["content-length", "0"]);
 * console.assert(head === "HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n");
 * ```
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

// WebSockets
export {
  CONTROL_BYTES_MAX,
  type MessageType,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  type WebSocketRole,
} from "./protocol/websocket/frame.ts";
export {
  type FrameEvent,
  FrameParser,
  type FrameParserOptions,
} from "./protocol/websocket/frame-parser.ts";
export { encodeFrame, type FrameSettings } from "./protocol/websocket/encode-frame.ts";
export { WebSocketProtocolError } from "./protocol/websocket/websocket-protocol-error.ts";
export { Utf8Validator } from "./protocol/websocket/utf8-validator.ts";
export { isCloseCode } from "./protocol/websocket/close-codes.ts";
export { type CloseReason, encodeClose, parseClose } from "./protocol/websocket/close-payload.ts";
export {
  checkUpgradeRequest,
  checkUpgradeResponse,
  chooseProtocol,
  type HandshakeFields,
  type HandshakeRefusal,
  offeredProtocols,
  type Sha1,
  type UpgradeQuestion,
  webSocketAccept,
  webSocketKey,
} from "./protocol/websocket/handshake.ts";
export {
  acceptDeflate,
  acceptedDeflate,
  type DeflateAnswer,
  type DeflateParameters,
  type DeflateWishes,
  offerDeflate,
} from "./protocol/websocket/negotiate-deflate.ts";
export { type AllowedOrigins, allowsOrigin } from "./protocol/websocket/allows-origin.ts";

// Bytes to messages
export type { MessageParser } from "./protocol/message-parser.ts";
export { RequestParser } from "./protocol/request-parser.ts";
export { ResponseParser } from "./protocol/response-parser.ts";

// Authentication
export { type Challenge, parseAuthenticationInfo, parseChallenges } from "./protocol/challenges.ts";
export { basicCredentials, bearerCredentials, writeCredentials } from "./protocol/credentials.ts";
export {
  chooseDigest,
  type DigestChallenge,
  digestChallenge,
  type DigestHash,
  type DigestQop,
} from "./protocol/digest-challenge.ts";
export {
  digestAuthorization,
  type DigestRequest,
  type HashFunction,
} from "./protocol/digest-authorization.ts";
export {
  netrcCredentials,
  type NetrcCredentials,
  type NetrcEntry,
  parseNetrc,
} from "./protocol/netrc.ts";

// Proxies
export { type SocksConnection, SocksHandshake } from "./protocol/socks/socks-handshake.ts";
export type { SocksOptions } from "./protocol/socks/socks-target.ts";
export { SocksError, type SocksFailure } from "./protocol/socks/socks-error.ts";
export { createProxyChooser, type ProxyChooser } from "./protocol/proxy-environment.ts";
export { type NoProxyMatcher, parseNoProxy } from "./protocol/no-proxy.ts";

// Fields of responses
export {
  type ContentDisposition,
  parseContentDisposition,
} from "./protocol/content-disposition.ts";
export { safeFileName } from "./protocol/safe-file-name.ts";
export { type ContentRange, parseContentRange } from "./protocol/content-range.ts";
export { type KeepAliveHints, parseKeepAlive } from "./protocol/keep-alive-field.ts";
export { type Link, parseLinks } from "./protocol/link-field.ts";
export { parseRetryAfter } from "./protocol/retry-after.ts";

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
