import type { Acceptor, Completion, ListenerHandle, Withdraw } from "../../platform/network.ts";
import type { UnixAddress, Wire } from "../../platform/wire.ts";
import { Path } from "./path.ts";
import type { HostNetwork } from "./host-network.ts";
import type { OpenSocket, SocketStatus } from "./netstat.ts";
import { StreamSocket } from "./stream-socket.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import type { UnixName } from "./unix-namespace.ts";

/** A Unix socket that listens for connections. */
export class UnixListener implements ListenerHandle, OpenSocket {
  readonly kind = "stream";
  readonly #host: HostNetwork;
  readonly #acceptor: Acceptor;
  #name: UnixName | null = null;
  readonly address: UnixAddress;

  constructor(host: HostNetwork, path: string, acceptor: Acceptor) {
    this.#host = host;
    this.#acceptor = acceptor;
    this.address = { path };
  }

  /** Binds and listens, or says why not. */
  bind(mode: number | undefined): SystemCode | null {
    const name = this.#host.unix.bind(this.address.path, mode, this);
    if (typeof name === "string") return name;
    this.#name = name;
    this.#host.sockets.add(this);
    return null;
  }

  /** Gets one end of a connection. */
  established(socket: StreamSocket): void {
    if (this.#name === null) socket.close(true);
    else this.#acceptor.accepted(socket);
  }

  close(): void {
    if (this.#name === null) return;
    this.#host.unix.unbind(this.#name, true);
    this.#name = null;
    this.#host.sockets.delete(this);
  }

  status(): SocketStatus {
    return {
      kind: "unix",
      state: "listen",
      local: this.address,
      remote: undefined,
      unreadBytes: 0,
      unsentBytes: 0,
      options: {},
    };
  }
}

/** Connects to a Unix socket of the same host. There is no handshake: the connection is in the listener's queue at once. */
export function connectUnix(
  host: HostNetwork,
  path: string,
  completion: Completion<Wire>,
): Withdraw {
  const { fabric } = host.internet;
  const timer = fabric.soon(() => {
    const listener = findListener(host, path);
    if (typeof listener === "string") {
      completion.fail(systemError(`connect to ${describePath(path)}`, listener));
      return;
    }
    const chooser = fabric.chooserForConnection();
    const there = new Path(fabric, chooser.fork("there"));
    const onGone = (socket: StreamSocket): void => void host.sockets.delete(socket);
    const client: UnixAddress = { path: "" };
    const [near, far] = StreamSocket.join(
      {
        kind: "unix",
        localAddress: client,
        remoteAddress: listener.address,
        path: there,
        onGone,
      },
      {
        kind: "unix",
        localAddress: listener.address,
        remoteAddress: client,
        path: new Path(fabric, chooser.fork("back")),
        onGone,
      },
    );
    host.sockets.add(near);
    host.sockets.add(far);
    there.send(() => listener.established(far));
    completion.succeed(near);
  });
  return () => timer.clear();
}

function findListener(host: HostNetwork, path: string): UnixListener | SystemCode {
  const name = host.unix.find(path);
  if (typeof name === "string") return name;
  if (name.owner === null) return "ECONNREFUSED";
  return name.owner.kind === "stream" ? name.owner : "EPROTOTYPE";
}

/** As in Linux's own tools, `@` stands for the NUL that abstract names begin with. */
export function describePath(path: string): string {
  return path.replace(/^\0/, "@");
}
