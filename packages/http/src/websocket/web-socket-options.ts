import type { DeflateWishes } from "../protocol/websocket/negotiate-deflate.ts";

/** How messages are compressed (permessage-deflate, RFC 7692). */
export interface WebSocketCompression extends DeflateWishes {
  /** How hard it tries: 0 to 9. Default 6. */
  readonly level?: number;
  /** Messages of fewer bytes are sent as they are. Default 128: less gains nothing. */
  readonly messageBytesMin?: number;
}

/** Options of a WebSocket, of either side. */
export interface WebSocketOptions {
  /**
   * Bytes of a message that comes, uncompressed. A larger one is not received: the WebSocket is closed with 1009. Default 4,194,304.
   */
  readonly messageBytesMax?: number;
  /** Messages that are sent are cut into fragments of at most so many bytes. Default `Infinity`: they are not. */
  readonly fragmentBytesMax?: number;
  /**
   * After so many milliseconds without a sign of life the other side is asked for one (ping); it is looked once in that time, so it may be
   * twice as many. Default 30,000; `Infinity`: never. While this side does not receive what came, nobody is asked, unless something waits to be sent: who takes nothing of it gives no sign.
   */
  readonly heartbeatMs?: number;
  /** So many milliseconds it has to give one, then the connection is taken to be broken. Default: half of `heartbeatMs`. */
  readonly pongMs?: number;
  /** Milliseconds that a close may take, until the connection is cut. Default 10,000. */
  readonly closeMs?: number;
  /** Whether messages are compressed, if the other side can do that too, and how. Default `false`: it costs 300 KiB or so for each connection. */
  readonly compression?: boolean | WebSocketCompression;
}

/** Names of options, of either side: one that is overlooked would be a limit that does not hold. */
export const SOCKET_NAMES: Readonly<Record<keyof WebSocketOptions, true>> = {
  messageBytesMax: true,
  fragmentBytesMax: true,
  heartbeatMs: true,
  pongMs: true,
  closeMs: true,
  compression: true,
};

const COMPRESSION_NAMES: Readonly<Record<keyof WebSocketCompression, true>> = {
  level: true,
  messageBytesMin: true,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: true,
  clientMaxWindowBits: true,
};

/** Options with their defaults. */
export interface ResolvedWebSocketOptions {
  readonly messageBytesMax: number;
  readonly fragmentBytesMax: number;
  readonly heartbeatMs: number;
  readonly pongMs: number;
  readonly closeMs: number;
  /** `null`: none. */
  readonly compression: WebSocketCompression | null;
}

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const HEARTBEAT_MS = 30_000;
const CLOSE_MS = 10_000;
/** Messages of fewer bytes are sent as they are, unless told otherwise. */
export const COMPRESSED_BYTES_MIN = 128;

/**
 * The options that hold.
 *
 * @throws TypeError, RangeError if one is of the wrong type, or no such number.
 */
export function resolveWebSocketOptions(
  where: string,
  options: WebSocketOptions,
): ResolvedWebSocketOptions {
  const {
    messageBytesMax = MESSAGE_BYTES_MAX,
    fragmentBytesMax = Infinity,
    heartbeatMs = HEARTBEAT_MS,
    pongMs = heartbeatMs / 2,
    closeMs = CLOSE_MS,
    compression = false,
  } = options;
  requireNumber(`${where}({ messageBytesMax })`, messageBytesMax, 0);
  requireNumber(`${where}({ fragmentBytesMax })`, fragmentBytesMax, 1);
  if (fragmentBytesMax !== Infinity)
    requireWhole(`${where}({ fragmentBytesMax })`, fragmentBytesMax, 1, Number.MAX_SAFE_INTEGER);
  requireNumber(`${where}({ heartbeatMs })`, heartbeatMs, 1);
  requireNumber(`${where}({ pongMs })`, pongMs, 0);
  requireNumber(`${where}({ closeMs })`, closeMs, 0);
  return {
    messageBytesMax,
    fragmentBytesMax,
    heartbeatMs,
    pongMs,
    closeMs,
    compression: resolveCompression(where, compression),
  };
}

function resolveCompression(
  where: string,
  compression: boolean | WebSocketCompression,
): WebSocketCompression | null {
  if (typeof compression === "boolean") return compression ? {} : null;
  if (typeof compression !== "object" || compression === null) {
    throw new TypeError(
      `${where}({ compression }): got ${String(compression)}, needs true, false or { level: 6 }`,
    );
  }
  requireNames(`${where}({ compression })`, compression, COMPRESSION_NAMES);
  const {
    level = 6,
    messageBytesMin = COMPRESSED_BYTES_MIN,
    serverMaxWindowBits,
    clientMaxWindowBits,
  } = compression;
  requireWhole(`${where}({ compression: { level } })`, level, 0, 9);
  requireNumber(`${where}({ compression: { messageBytesMin } })`, messageBytesMin, 0);
  requireWhole(
    `${where}({ compression: { serverMaxWindowBits } })`,
    serverMaxWindowBits ?? 15,
    9,
    15,
  );
  requireWhole(
    `${where}({ compression: { clientMaxWindowBits } })`,
    clientMaxWindowBits ?? 15,
    9,
    15,
  );
  return compression;
}

/** @throws TypeError if `options` is no object, or has an option of a name that is none. */
export function requireNames(
  where: string,
  options: unknown,
  names: Readonly<Record<string, true>>,
): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`${where}: got ${String(options)} as options, needs an object`);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names).join(", ");
    throw new TypeError(`${where}({ ${name} }): there is no such option; there are ${known}`);
  }
}

function requireNumber(where: string, value: unknown, min: number): void {
  if (typeof value !== "number")
    throw new TypeError(`${where}: got ${typeof value}, needs a number`);
  if (!(value >= min)) throw new RangeError(`${where}: got ${value}, needs at least ${min}`);
}

function requireWhole(where: string, value: unknown, min: number, max: number): void {
  requireNumber(where, value, min);
  if (!(Number.isInteger(value) && (value as number) <= max)) {
    throw new RangeError(
      `${where}: got ${value as number}, needs a whole number from ${min} to ${max}`,
    );
  }
}
