/**
 * The contract between a backend and everything that carries bytes: a socket, a pipe, TLS over another wire, the simulator's
 * network. It is synchronous both ways, without promises: waiting, cancellation, buffering and errors for users are written once
 * above it, in `streams/wire-stream.ts`.
 */

/**
 * A transport of bytes in both directions. One owner; nothing is read before `open`. The receiver is told nothing from within
 * `open`, `write` and `end`; what is wrong with such a call itself they throw.
 */
export interface Wire {
  /** Begins: from now on `receiver` is told what happens. Called once. */
  open(receiver: WireReceiver): void;
  /** Reads no more until `resume`. What was read already may still come. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /**
   * Hands bytes over. `true`: the system has them all. `false`: it will be told by `written()`; until then there is no second
   * `write`, and `bytes` are not changed.
   */
  write(bytes: Uint8Array): boolean;
  /** There is nothing more to write: after what was written, the other side sees the end. Reading goes on. */
  end(): void;
  /**
   * Gives the wire back; after this the receiver is told nothing more. What `write` has handed over still goes out. With
   * `abortively` the other side is told of a failure, where the transport can do that, so that it does not take a part for the whole.
   */
  close(abortively: boolean): void;
  /** What is known about the transport beside its bytes. */
  readonly details: WireDetails;
}

/** Who is told what happens on a wire. */
export interface WireReceiver {
  /** Bytes came, at least one. They belong to the receiver. */
  received(bytes: Uint8Array): void;
  /** The other side will send nothing more. Writing may still be possible. */
  ended(): void;
  /** The `write` that returned `false` has handed everything over. */
  written(): void;
  /** Neither direction works any more. Called at most once; `close` is still the owner's duty. */
  failed(error: Error): void;
  /** Of a wire with a handshake: it is done. `details` are complete now. */
  secured?(): void;
}

/** An address of the internet protocols. */
export interface IpAddress {
  /** Numeric: `"127.0.0.1"`, `"::1"`, `"fe80::1%eth0"`. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** An address in the file system or, on Linux, in the abstract space. */
export interface UnixAddress {
  /** Path of the socket; abstract names begin with `"\0"`; empty if the socket has none. */
  readonly path: string;
}

/** Where one end of a connection is. */
export type SocketAddress = IpAddress | UnixAddress;

/** Options of a connected TCP socket that can be set at any time. */
export interface SocketOptions {
  /** Sends small writes at once instead of collecting them (`TCP_NODELAY`). */
  readonly noDelay?: boolean;
  /** Milliseconds of silence after which the system asks whether the other side is still there; `false`: never. */
  readonly keepAliveMs?: number | false;
}

/** What is known about a wire beside its bytes. Read when asked for, since asking the system costs. */
export interface WireDetails {
  /** This end; `undefined` once the connection is gone. */
  readonly localAddress: SocketAddress | undefined;
  /** The other end; likewise. */
  readonly remoteAddress: SocketAddress | undefined;
  /** What TLS agreed upon; `undefined` without TLS, or before the handshake is done. */
  readonly tls: TlsInfo | undefined;
  /** Whether a handshake is still to come: then `secured` or `failed` will be called. */
  readonly securing: boolean;
  /** The descriptor of the socket where the runtime tells it. */
  readonly descriptor: number | undefined;
  /** Sets options; without effect on what has none of them. */
  setOptions(options: SocketOptions): void;
}

/** What TLS agreed upon. */
export interface TlsInfo {
  /** `"TLSv1.2"` or `"TLSv1.3"`. */
  readonly version: string;
  /** Name of the cipher suite, as the runtime spells it. */
  readonly cipher: string | undefined;
  /** The application protocol chosen by ALPN; `undefined` if none was. */
  readonly alpnProtocol: string | undefined;
  /** The name the client asked for (SNI); `undefined` if none. */
  readonly serverName: string | undefined;
  /** The other side's certificate in DER; `undefined` if it sent none. */
  readonly peerCertificate: Uint8Array | undefined;
  /** Whether this session was resumed from an earlier one; `undefined` where the runtime does not tell. */
  readonly resumed: boolean | undefined;
}
