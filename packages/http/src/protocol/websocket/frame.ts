/** The numbers of frames (RFC 6455 §5.2, §11.8). */

/** The next fragment of a message. */
export const OPCODE_CONTINUATION = 0;
/** A message of text, or its first fragment. */
export const OPCODE_TEXT = 1;
/** A message of bytes, or its first fragment. */
export const OPCODE_BINARY = 2;
/** Nothing more will be sent. */
export const OPCODE_CLOSE = 8;
/** Asks for a pong. */
export const OPCODE_PING = 9;
/** Answers a ping. */
export const OPCODE_PONG = 10;

/** Bit of an opcode that says that the frame is a control frame. */
export const OPCODE_CONTROL_BIT = 8;

/** First byte of a frame: the last frame of its message. */
export const FIN_BIT = 0x80;
/** First byte of a frame: the message is compressed (RFC 7692 §6). */
export const RSV1_BIT = 0x40;
export const RSV2_BIT = 0x20;
export const RSV3_BIT = 0x10;

/** Bytes of the payload of a control frame (RFC 6455 §5.5). */
export const CONTROL_BYTES_MAX = 125;

/** Which end of a connection: the client masks its frames, and the server does not. */
export type WebSocketRole = "client" | "server";

/** What a message is made of. */
export type MessageType = "text" | "binary";
