import { TimeoutError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import type { SocketAddress, SocketOptions, TlsInfo, Wire } from "../platform/wire.ts";
import { currentBackend, notSupported } from "../platform/capabilities.ts";
import { refused } from "../streams/refused.ts";
import { now } from "../sync/timeouts.ts";
import { WireStream } from "../streams/wire-stream.ts";

/** What `receiveDescriptors` gives. */
export interface ReceivedDescriptors {
  /** At least one byte. */
  readonly data: Uint8Array;
  /** The receiver's own numbers of what was sent; it must close them. */
  readonly descriptors: readonly number[];
}

/**
 * A connection: TCP, a Unix socket, or TLS over any of these. Counterpart: `anyio.abc.SocketStream`, `trio.SocketStream`,
 * `trio.SSLStream`.
 *
 * @example A line there, a line back
 * ```ts
 * import { run } from "arborio";
 * import { connectTcp, listenTcp } from "arborio/net";
 *
 * await run(async (group) => {
 *   using listener = await listenTcp(0, { host: "127.0.0.1" });
 *   group.startSoon(() => listener.serve((stream) => stream.send(new Uint8Array([1, 2, 3]))), { daemon: true });
 *   using stream = await connectTcp("127.0.0.1", listener.port);
 *   console.assert((await stream.receive()).length > 0);
 * });
 * ```
 */
export class SocketStream extends WireStream {
  readonly #handshakeMs: number;

  /** @internal */
  constructor(wire: Wire, streamName = "SocketStream", handshakeMs: number = Infinity) {
    super(wire, streamName);
    this.#handshakeMs = handshakeMs;
  }

  /** This end's address; `undefined` once the connection is gone. */
  get localAddress(): SocketAddress | undefined {
    return this.wire.details.localAddress;
  }

  /** The other end's address; `undefined` once the connection is gone. */
  get remoteAddress(): SocketAddress | undefined {
    return this.wire.details.remoteAddress;
  }

  /** What TLS agreed upon; `undefined` without TLS, and before the handshake is done. */
  get tls(): TlsInfo | undefined {
    return this.wire.details.tls;
  }

  /** The descriptor of the socket, for other libraries; `undefined` where the runtime does not tell. It stays this stream's. */
  get descriptor(): number | undefined {
    return this.wire.details.descriptor;
  }

  /**
   * Sends bytes, and open descriptors with them, to the process at the other end of a Unix socket (`SCM_RIGHTS`). No backend can do this so
   * far: the runtimes have no function for it.
   *
   * @throws NotSupportedError always.
   *
   * Counterpart: `anyio.abc.UNIXSocketStream.send_fds`.
   */
  sendDescriptors(_data: Uint8Array, _descriptors: readonly number[]): Promise<void> {
    return refused(notSupported(currentBackend(), `${this.streamName}.sendDescriptors`));
  }

  /**
   * Receives bytes, and the descriptors that came with them. No backend can do this so far.
   *
   * @throws NotSupportedError always.
   *
   * Counterpart: `anyio.abc.UNIXSocketStream.receive_fds`.
   */
  receiveDescriptors(_maxBytes: number, _maxDescriptors: number): Promise<ReceivedDescriptors> {
    return refused(notSupported(currentBackend(), `${this.streamName}.receiveDescriptors`));
  }

  /** Sets options of the socket. TCP sockets are made with `noDelay`. Without effect on Unix sockets. */
  setOptions(options: SocketOptions): void {
    this.wire.details.setOptions(options);
  }

  /**
   * Waits until the TLS handshake is done; without TLS, it is. Streams of `connectTcp` and those that `serve` gives to a handler
   * have done it.
   *
   * @throws TlsError if it failed.
   * @throws TimeoutError if it took longer than `handshakeTimeoutMs`, counted from this call.
   * @throws ClosedResourceError after `close`.
   */
  override handshake(): Promise<void> {
    const limitMs = this.#handshakeMs;
    if (limitMs === Infinity || !this.wire.details.securing) return super.handshake();
    const scope = new CancelScope({ deadline: now() + limitMs });
    scope.ensureExtras().timeoutError = () =>
      new TimeoutError(
        `${this.streamName}.handshake: TLS was not agreed upon within ${limitMs} ms`,
        { cause: scope.own },
      );
    return scope.run(() => super.handshake()) as Promise<void>;
  }
}
