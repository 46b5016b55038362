import type { SocketAddress, SocketOptions } from "../../platform/wire.ts";
import type { DatagramOption } from "../../platform/network.ts";

/** In what state a socket is, in the words of `netstat`. */
export type SocketState =
  /** It takes connections. */
  | "listen"
  /** It takes datagrams. */
  | "open"
  | "established"
  /** The other side has ended, this one has not. */
  | "close-wait"
  /** This side has ended, the other has not. */
  | "fin-wait"
  /** Closed by the program, but what was written is still on its way. */
  | "closing"
  /** Ended on both sides, or reset, but not closed by the program. */
  | "closed";

/** One socket of a simulated host. */
export interface SocketStatus {
  /** What it carries. */
  readonly kind: "tcp" | "udp" | "unix" | "unix-datagram";
  /** How far it has come. */
  readonly state: SocketState;
  /** This end. */
  readonly local: SocketAddress;
  /** The other end; `undefined` if there is none. */
  readonly remote: SocketAddress | undefined;
  /** Bytes that have come and that the program has not read. */
  readonly unreadBytes: number;
  /** Bytes that the program has written and that could not be sent yet. */
  readonly unsentBytes: number;
  /** What was set on it. */
  readonly options: Readonly<SocketOptions> | ReadonlyMap<DatagramOption["name"], unknown>;
}

/** What the system knows of a socket. */
export interface OpenSocket {
  status(): SocketStatus;
  close(abortively: boolean): void;
}
