import { ambientScope } from "../core/ambient.ts";
import { requireOptions } from "../core/arguments.ts";
import { notSupported, requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { DatagramHandle, UnixDatagramTarget } from "../platform/network.ts";
import type { SocketAddress, UnixAddress } from "../platform/wire.ts";
import { formatPath } from "./address.ts";
import { type Datagram, STOPPING } from "./datagram-queue.ts";
import { DatagramSocket } from "./datagram-socket.ts";
import { requireMode, requireUnixPath } from "./unix-path.ts";

/** Options of `openUnixDatagram`. */
export interface OpenUnixDatagramOptions {
  /**
   * Where to receive: path of the socket's file, or on Linux a name in the abstract space, `"\0name"`. Default: nowhere, so that it can send
   * but get no answer.
   */
  readonly path?: string;
  /** Permission bits of the socket's file, such as `0o600`. Default: as the process's umask leaves them. */
  readonly mode?: number;
}

/** Options of `connectUnixDatagram`. */
export interface ConnectUnixDatagramOptions {
  /** Where to receive, as `path` of `openUnixDatagram`. */
  readonly localPath?: string;
  /** Permission bits of that socket's file. Default: as the process's umask leaves them. */
  readonly mode?: number;
}

/**
 * Opens a Unix datagram socket: whole messages between processes of one machine, none lost, in order. A socket's file that was left
 * behind is replaced; that of this one is removed when it is closed. Cancelled, it leaves no socket open.
 *
 * So far only the simulator can do this: Node and Bun have no such sockets, and those of Deno (with its flag `--unstable-net`) cannot send
 * while they wait to receive.
 *
 * @throws NotSupportedError where the backend cannot.
 * @throws SystemError if the system refuses: `EADDRINUSE` if somebody receives there, `EACCES`, `ENOENT` if there is no such folder.
 * @throws TypeError, RangeError for wrong arguments.
 *
 * Counterpart: `anyio.create_unix_datagram_socket`.
 *
 * @example Question and answer, where the backend can
 * ```ts
 * import { run } from "arborio";
 * import { openUnixDatagram } from "arborio/net";
 * import { simulator } from "arborio/sim";
 *
 * await run(async () => {
 *   using server = await openUnixDatagram({ path: "/run/server.sock" });
 *   using client = await openUnixDatagram({ path: "/run/client.sock" });
 *   await client.send(new Uint8Array([1, 2]), server.localAddress);
 *   const { data, address } = await server.receive();
 *   console.assert(data.length === 2 && address.path === "/run/client.sock");
 * }, { backend: simulator() });
 * ```
 */
export async function openUnixDatagram(
  options: OpenUnixDatagramOptions = {},
): Promise<UnixDatagramSocket> {
  requireOptions("openUnixDatagram", options, '{ path: "/run/server.sock" }');
  const target = localTarget("openUnixDatagram", options.path, options.mode);
  const socket = new UnixDatagramSocket();
  await open(socket, { ...target, remotePath: undefined });
  return socket;
}

/**
 * Opens a Unix datagram socket for one other: what comes from elsewhere is dropped. Cancelled, it leaves no socket open.
 *
 * @param path of the other socket, which must be there.
 * @throws NotSupportedError where the backend cannot, as `openUnixDatagram`.
 * @throws SystemError if the system refuses, as `openUnixDatagram`; `ENOENT` or `ECONNREFUSED` if nobody is at `path`.
 * @throws TypeError, RangeError for wrong arguments.
 *
 * Counterpart: `anyio.create_connected_unix_datagram_socket`.
 */
export async function connectUnixDatagram(
  path: string,
  options: ConnectUnixDatagramOptions = {},
): Promise<ConnectedUnixDatagramSocket> {
  requireOptions("connectUnixDatagram", options, '{ localPath: "/run/client.sock" }');
  requireUnixPath("connectUnixDatagram", path);
  const target = localTarget("connectUnixDatagram", options.localPath, options.mode);
  const socket = new ConnectedUnixDatagramSocket({ path });
  await open(socket, { ...target, remotePath: path });
  return socket;
}

/**
 * A Unix datagram socket that sends to any and receives from any. Made by `openUnixDatagram`. Reading stops while many datagrams wait to be
 * received, so that none is dropped. Counterpart: `anyio.abc.UNIXDatagramSocket`.
 */
export class UnixDatagramSocket extends DatagramSocket<Datagram<UnixAddress>, UnixAddress> {
  /** @internal */
  constructor() {
    super("UnixDatagramSocket", STOPPING);
  }

  /**
   * Sends a datagram: whole or not at all. Waits until it is in the other socket's queue, also while that is full. Several tasks may send
   * at once. `data` is copied.
   *
   * Cancelled before the system was asked, nothing was sent. Cancelled after that, the datagram may be sent or not.
   *
   * @param data may be empty, which is a datagram too. At most about 200,000 bytes.
   * @param address as `receive` gave it; or a path in an object.
   * @throws SystemError if the system refuses: `ENOENT` or `ECONNREFUSED` nobody is there, `EMSGSIZE` it is too large.
   * @throws ClosedResourceError if this socket is closed, also while waiting.
   * @throws TypeError, RangeError for wrong arguments, such as the address of a socket without a path.
   */
  send(data: Uint8Array, address: UnixAddress): Promise<void> {
    const scope = ambientScope();
    const refusal = this.sendRefusal(scope, data);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    try {
      requireOptions("UnixDatagramSocket.send", address, '{ path: "/run/server.sock" }');
      requireUnixPath("UnixDatagramSocket.send", address.path);
    } catch (error) {
      return scope.kernel.rejected(error);
    }
    return this.transmit(scope, data, address);
  }

  /** @internal */
  override accepts(): boolean {
    return true;
  }

  /** @internal */
  override itemOf(datagram: Datagram): Datagram<UnixAddress> {
    return datagram as Datagram<UnixAddress>;
  }
}

/**
 * A Unix datagram socket that sends to one other and receives from there only. Made by `connectUnixDatagram`. Counterpart:
 * `anyio.abc.ConnectedUNIXDatagramSocket`.
 */
export class ConnectedUnixDatagramSocket extends DatagramSocket<Uint8Array, UnixAddress> {
  /** The only one that is sent to and received from. */
  readonly remoteAddress: UnixAddress;

  /** @internal */
  constructor(remoteAddress: UnixAddress) {
    super("ConnectedUnixDatagramSocket", STOPPING);
    this.remoteAddress = remoteAddress;
  }

  /** Sends a datagram to the other side, as `UnixDatagramSocket.send`. */
  send(data: Uint8Array): Promise<void> {
    const scope = ambientScope();
    const refusal = this.sendRefusal(scope, data);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    return this.transmit(scope, data, undefined);
  }

  /** @internal */
  override accepts(from: SocketAddress): boolean {
    return "path" in from && from.path === this.remoteAddress.path;
  }

  /** @internal */
  override itemOf({ data }: Datagram): Uint8Array {
    return data;
  }
}

function localTarget(
  where: string,
  path: string | undefined,
  mode: number | undefined,
): Pick<UnixDatagramTarget, "path" | "mode"> {
  if (path !== undefined) requireUnixPath(`${where}, its own path`, path);
  if (mode === undefined) return { path, mode };
  requireMode(`${where}({ mode })`, mode);
  if (path === undefined || path.startsWith("\0")) {
    throw new RangeError(
      `${where}({ mode }): got a mode for ${path === undefined ? "no path" : formatPath(path)}, needs the path of a file`,
    );
  }
  return { path, mode };
}

async function open(
  socket: UnixDatagramSocket | ConnectedUnixDatagramSocket,
  target: UnixDatagramTarget,
): Promise<void> {
  const operation = target.remotePath === undefined ? "openUnixDatagram" : "connectUnixDatagram";
  const handle = await hostOperation<DatagramHandle>({
    name: operation,
    resource: formatPath(target.remotePath ?? target.path ?? ""),
    begin: (backend, completion) => {
      const network = requireCapability(backend, "network", operation);
      if (network.openUnixDatagram === undefined) throw notSupported(backend, operation);
      return network.openUnixDatagram(target, socket, completion);
    },
  });
  socket.attach(handle);
}
