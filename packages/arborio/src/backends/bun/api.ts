/** What is used of Bun's own sockets (Bun 1.4.5). */

/** A connected socket. */
export interface BunSocket<Data> {
  data: Data;
  readonly fd: number;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** How many bytes the system has taken; -1 if the socket is closed. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Without argument: writes no more. */
  shutdown(): void;
  close(): void;
  /** Closes with a reset. */
  terminate(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, initialDelayMs?: number): void;
  /** From now on others are told. */
  reload(options: { readonly socket: BunHandlers<Data> }): void;
}

/** A listening socket. */
export interface BunListener {
  readonly hostname: string | undefined;
  readonly port: number | undefined;
  readonly unix: string | undefined;
  stop(closeActive: boolean): void;
}

/** Who is told. `socket` is passed to each, so that all sockets share one set of functions. */
export interface BunHandlers<Data> {
  readonly binaryType: "uint8array";
  readonly open: (socket: BunSocket<Data>) => void;
  readonly data: (socket: BunSocket<Data>, bytes: Uint8Array) => void;
  readonly drain: (socket: BunSocket<Data>) => void;
  readonly end: (socket: BunSocket<Data>) => void;
  readonly close: (socket: BunSocket<Data>, error?: unknown) => void;
  /** One of these functions has thrown. */
  readonly error: (socket: BunSocket<Data>, error: unknown) => void;
  readonly connectError?: (socket: BunSocket<Data>, error: unknown) => void;
}

interface SocketOptions<Data> {
  readonly allowHalfOpen: true;
  readonly socket: BunHandlers<Data>;
}

/** Where to listen. */
export type BunListenOptions =
  | {
      readonly hostname: string;
      readonly port: number;
      readonly reusePort: boolean;
      readonly ipv6Only: boolean;
      /** Bun 1.4.5 always asks for 512. */
      readonly backlog: number;
    }
  | { readonly unix: string; readonly backlog: number };

interface BunApi {
  listen<Data>(options: SocketOptions<Data> & BunListenOptions): BunListener;
  connect<Data>(options: SocketOptions<Data> & { readonly fd: number }): Promise<BunSocket<Data>>;
}

export const bun: BunApi = (globalThis as unknown as { readonly Bun: BunApi }).Bun;
