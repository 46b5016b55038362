/** The opening handshake, both sides (RFC 6455 §4). Who calls gives the digest: it comes from the runtime. */
import { base64 } from "../base64.ts";
import { trimSpace } from "../characters.ts";

/** Appended to the key before it is digested (RFC 6455 §1.3). */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The one version there is (RFC 6455 §4.1). */
export const WEBSOCKET_VERSION = "13";

const KEY_BYTES = 16;
/** 16 bytes in base64: the last of the 22 characters has two bits, and the rest of it is 0 (RFC 4648 §3.5). */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** SHA-1, as `createDigest("sha-1")` of `arborio/lowlevel` makes it. */
export type Sha1 = (bytes: Uint8Array) => Uint8Array;

/** The fields of a message: `Headers` are such. */
export interface HandshakeFields {
  /** The value; several are joined by commas; `null` if there is none. */
  get(name: string): string | null;
}

/** Why a handshake is declined, as a response says it. */
export interface HandshakeRefusal {
  /** 400, 405 or 426. */
  readonly status: number;
  /** What is wrong, for people. */
  readonly message: string;
  /** Names and values of fields that the response has. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/**
 * The `Sec-WebSocket-Key` of a client.
 *
 * @param random 16 bytes that nobody can guess.
 */
export function webSocketKey(random: Uint8Array): string {
  if (random.length !== KEY_BYTES)
    throw new RangeError(`webSocketKey: got ${random.length} bytes, needs ${KEY_BYTES}`);
  return base64(random);
}

/**
 * The `Sec-WebSocket-Accept` that answers a key (RFC 6455 §4.2.2).
 *
 * @example The key of the RFC
 * ```ts
 * import { createDigest } from "arborio/lowlevel";
 * import { webSocketAccept } from "@arborio/http/protocol";
 *
 * const sha1 = (bytes: Uint8Array) => createDigest("sha-1").update(bytes).digest();
 * console.assert(webSocketAccept("dGhlIHNhbXBsZSBub25jZQ==", sha1) === "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
 * ```
 */
export function webSocketAccept(key: string, sha1: Sha1): string {
  return base64(sha1(new TextEncoder().encode(key + KEY_SUFFIX)));
}

/**
 * What is wrong with a request that wants to begin a WebSocket (RFC 6455 §4.2.1); `null` if nothing is.
 *
 * @param method of the request.
 */
export function checkUpgradeRequest(
  method: string,
  fields: HandshakeFields,
): HandshakeRefusal | null {
  if (method !== "GET") {
    const allow = [["allow", "GET"]] as const;
    return { status: 405, message: `a WebSocket begins with GET, not ${method}`, fields: allow };
  }
  if (!(hasWord(fields, "connection", "upgrade") && hasWord(fields, "upgrade", "websocket"))) {
    return {
      status: 426,
      message: "this is a WebSocket: connect with a client that speaks it",
      fields: [["upgrade", "websocket"]],
    };
  }
  const version = fields.get("sec-websocket-version");
  if (version !== WEBSOCKET_VERSION) {
    return {
      status: 426,
      message: `Sec-WebSocket-Version is ${quoted(version)}, needs ${WEBSOCKET_VERSION}`,
      fields: [
        ["upgrade", "websocket"],
        ["sec-websocket-version", WEBSOCKET_VERSION],
      ],
    };
  }
  const key = fields.get("sec-websocket-key");
  if (key === null || !KEY.test(key)) {
    const message = `Sec-WebSocket-Key is ${quoted(key)}, needs 16 bytes in base64`;
    return { status: 400, message, fields: [] };
  }
  return null;
}

/** What a client asked for. */
export interface UpgradeQuestion {
  /** Its `Sec-WebSocket-Key`. */
  readonly key: string;
  /** The subprotocols that it offered. */
  readonly protocols: readonly string[];
}

/**
 * What is wrong with a response that should begin a WebSocket (RFC 6455 §4.1); `null` if nothing is. The extensions are checked by
 * `acceptedDeflate`.
 */
export function checkUpgradeResponse(
  status: number,
  fields: HandshakeFields,
  { key, protocols }: UpgradeQuestion,
  sha1: Sha1,
): string | null {
  if (status !== 101) return `the status is ${status}, needs 101`;
  const upgrade = fields.get("upgrade");
  if (upgrade?.toLowerCase() !== "websocket")
    return `Upgrade is ${quoted(upgrade)}, needs "websocket"`;
  if (!hasWord(fields, "connection", "upgrade"))
    return `Connection is ${quoted(fields.get("connection"))}, needs "upgrade"`;
  const accept = fields.get("sec-websocket-accept");
  const wanted = webSocketAccept(key, sha1);
  if (accept !== wanted)
    return `Sec-WebSocket-Accept is ${quoted(accept)}, needs ${quoted(wanted)}`;
  const protocol = fields.get("sec-websocket-protocol");
  if (protocol !== null && !protocols.includes(protocol))
    return `Sec-WebSocket-Protocol is ${quoted(protocol)}, needs one that was offered: ${protocols.join(", ") || "none was"}`;
  return null;
}

/** The subprotocols that a client offers, the ones it likes best first. */
export function offeredProtocols(fields: HandshakeFields): string[] {
  return words(fields.get("sec-websocket-protocol"));
}

/** The first of the server's subprotocols that the client offers; `null` if there is none. Upper and lower case differ. */
export function chooseProtocol(
  offered: readonly string[],
  supported: readonly string[],
): string | null {
  return supported.find((protocol) => offered.includes(protocol)) ?? null;
}

function hasWord(fields: HandshakeFields, name: string, word: string): boolean {
  return words(fields.get(name)).some((one) => one.toLowerCase() === word);
}

function words(value: string | null): string[] {
  return (value ?? "")
    .split(",")
    .map(trimSpace)
    .filter((word) => word !== "");
}

/** What came from the other side is shown shortened. */
function quoted(value: string | null): string {
  return value === null ? "missing" : JSON.stringify(value.slice(0, 100));
}
