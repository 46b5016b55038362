import type { SocketAddress, Wire } from "./wire.ts";

/** Where the outcome of an operation of the host goes; one of the two is called, once, though not before the operation returned. */
export interface Completion<T> {
  /** It is done. */
  succeed(value: T): void;
  /** It could not be done. */
  fail(error: Error): void;
}

/** Withdraws an operation. After it, its completion is not called, and what it had begun to make is given back. */
export type Withdraw = () => void;

/** The network of a backend. Addresses are numeric here; names, races and retries are the business of `net/`. */
export interface Network {
  /** Connects a stream socket. */
  connect(target: ConnectTarget, completion: Completion<Wire>): Withdraw;
  /** Listens for stream sockets. */
  listen(
    target: ListenTarget,
    acceptor: Acceptor,
    completion: Completion<ListenerHandle>,
  ): Withdraw;
  /** Opens a datagram socket. */
  openDatagram(
    target: DatagramTarget,
    receiver: DatagramReceiver,
    completion: Completion<DatagramHandle>,
  ): Withdraw;
  /** Finds the numeric addresses of a name, of one family, best first; fails if there are none. */
  lookup(host: string, family: 4 | 6, completion: Completion<readonly string[]>): Withdraw;
  /** Takes over the descriptor of a connected stream socket. Absent where the runtime cannot. */
  adopt?(descriptor: number): Wire;
  /** Opens a Unix datagram socket. Absent where the runtime cannot. */
  openUnixDatagram?(
    target: UnixDatagramTarget,
    receiver: DatagramReceiver,
    completion: Completion<DatagramHandle>,
  ): Withdraw;
}

/** What to connect to. */
export type ConnectTarget =
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly localHost?: string | undefined;
      readonly localPort?: number | undefined;
    }
  | { readonly kind: "unix"; readonly path: string };

/** What to listen on. */
export type ListenTarget =
  | {
      readonly kind: "tcp";
      /** Numeric. */
      readonly host: string;
      readonly port: number;
      readonly backlog: number;
      readonly reusePort: boolean;
      /** Whether an IPv6 socket takes no IPv4 connections. */
      readonly ipv6Only: boolean;
    }
  | {
      readonly kind: "unix";
      readonly path: string;
      readonly backlog: number;
      /** Permission bits of the socket's file. */
      readonly mode: number | undefined;
    }
  | { readonly kind: "descriptor"; readonly descriptor: number; readonly backlog: number };

/** Who gets the connections of a listener. */
export interface Acceptor {
  /** A connection came. The wire is not open; whoever does not want it closes it. */
  accepted(wire: Wire): void;
  /** Accepting failed, for example for want of descriptors; the listener goes on when it can. */
  failed(error: Error): void;
}

/** A listening socket. */
export interface ListenerHandle {
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Accepts no more. Connections accepted before live on. */
  close(): void;
}

/** What a UDP socket is bound, and perhaps connected, to. */
export interface DatagramTarget {
  /** The version of the internet protocol. */
  readonly family: 4 | 6;
  /** Numeric; the wildcard address of the family if absent. */
  readonly host: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  /**
   * Numeric address of the only peer of a connected socket. A backend may deliver datagrams of others all the same: those that
   * came before the socket was connected, and all of them where the runtime only pretends to connect. `net/` drops them.
   */
  readonly remote: { readonly host: string; readonly port: number } | undefined;
  /** Whether another socket that says so too may have the same address (`SO_REUSEADDR`). */
  readonly reuseAddress: boolean;
  /** Whether the system may spread datagrams over several sockets with the same address (`SO_REUSEPORT`). */
  readonly reusePort: boolean;
  /** Whether an IPv6 socket has nothing to do with IPv4. */
  readonly ipv6Only: boolean;
}

/** What a Unix datagram socket is bound, and perhaps connected, to. */
export interface UnixDatagramTarget {
  /** `undefined`: without a name, so nobody can answer. */
  readonly path: string | undefined;
  /** Permission bits of the socket's file; `undefined`: what the system gives. */
  readonly mode: number | undefined;
  /** Path of the only peer of a connected socket. */
  readonly remotePath: string | undefined;
}

/** Who is told what happens on a datagram socket. */
export interface DatagramReceiver {
  /** A datagram came; the bytes belong to the receiver. Empty ones are datagrams too. */
  received(bytes: Uint8Array, from: SocketAddress): void;
  /** The system reported an error, for example that the peer's port is closed. The socket goes on. */
  failed(error: Error): void;
}

/** An open datagram socket. */
export interface DatagramHandle {
  /** Where it is bound. */
  readonly localAddress: SocketAddress;
  /**
   * Sends one datagram, to the peer of a connected socket if `to` is absent. `bytes` are the backend's. After `close` the completion
   * may never be called.
   */
  send(bytes: Uint8Array, to: SocketAddress | undefined, completion: Completion<void>): void;
  /** Sets an option; throws a `SystemError` if the system refuses. */
  setOption(option: DatagramOption): void;
  /** Joins or leaves a multicast group; throws a `SystemError` if the system refuses. */
  setMembership(
    action: "join" | "leave",
    group: string,
    networkInterface: string | undefined,
  ): void;
  /** Stops reading, or reads again: meanwhile what comes waits in the system. Absent where the runtime always reads. */
  setReading?(reading: boolean): void;
  /** Gives the socket back. The receiver is told nothing more. */
  close(): void;
}

/** What can be set on a datagram socket. */
export type DatagramOption =
  | { readonly name: "broadcast" | "multicastLoopback"; readonly value: boolean }
  | { readonly name: "timeToLive" | "multicastTimeToLive"; readonly value: number }
  | { readonly name: "multicastInterface"; readonly value: string };
