/** Why a proxy was left: what it answered, or what was wrong with its answer. */
export type SocksFailure =
  | "general-failure"
  | "not-allowed"
  | "network-unreachable"
  | "host-unreachable"
  | "connection-refused"
  | "time-to-live-expired"
  | "command-not-supported"
  | "address-type-not-supported"
  | "no-acceptable-method"
  | "authentication-failed"
  | "unknown-reply"
  | "malformed"
  | "closed";

/**
 * A SOCKS proxy has not made the connection, or does not speak SOCKS. Nothing more can be done with the connection to it.
 *
 * @example
 * ```ts
 * import { SocksError, SocksHandshake } from "@arborio/http/protocol";
 *
 * const handshake = new SocksHandshake({ host: "example.org", port: 80 });
 * handshake.takeOutgoing();
 * try {
 *   handshake.push(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
 * } catch (error) {
 *   console.assert(error instanceof SocksError && error.failure === "malformed");
 * }
 * ```
 */
export class SocksError extends Error {
  /** `"SocksError"`. */
  override readonly name: string = "SocksError";
  /** What happened, in words that stay the same. */
  readonly failure: SocksFailure;
  /** The code with which the proxy refused; `null` if it did not. */
  readonly reply: number | null;

  /** Made by the handshake. */
  constructor(failure: SocksFailure, message: string, reply: number | null = null) {
    super(message);
    this.failure = failure;
    this.reply = reply;
  }
}

/** RFC 1928 §6. */
const SOCKS5_REPLIES: readonly (readonly [SocksFailure, string])[] = [
  ["general-failure", "it has failed, and does not say why"],
  ["not-allowed", "its rules do not allow it"],
  ["network-unreachable", "it cannot reach the network"],
  ["host-unreachable", "it cannot reach the host, or find its address"],
  ["connection-refused", "the host refuses the connection"],
  ["time-to-live-expired", "the host did not answer in time"],
  ["command-not-supported", "it does not make connections for clients"],
  ["address-type-not-supported", "it does not take this kind of address"],
];

/** SOCKS4, "CONNECT"; for 92 and 93 RFC 1413. */
const SOCKS4_REPLIES: Readonly<Record<number, readonly [SocksFailure, string]>> = {
  91: ["general-failure", "it has refused, or failed, and does not say why"],
  92: ["authentication-failed", "it cannot ask this machine who the user is"],
  93: ["authentication-failed", "this machine says that the user is another"],
};

/** The error for a reply of the proxy that is not a yes. */
export function refusedBySocks(version: 4 | 5, reply: number, target: string): SocksError {
  const known = version === 5 ? SOCKS5_REPLIES[reply - 1] : SOCKS4_REPLIES[reply];
  const [failure, why] = known ?? ["unknown-reply", "its reason is not known"];
  return new SocksError(
    failure,
    `SOCKS${version} proxy, connection to ${target}: ${why} (reply ${reply})`,
    reply,
  );
}
