import { NotSupportedError } from "../../core/errors.ts";
import type {
  Acceptor,
  Completion,
  ConnectTarget,
  DatagramHandle,
  DatagramReceiver,
  DatagramTarget,
  ListenerHandle,
  ListenTarget,
  Network,
  UnixDatagramTarget,
  Withdraw,
} from "../../platform/network.ts";
import type { Wire } from "../../platform/wire.ts";
import { describeEndpoint, type Ip, ip, isLoopback, isWildcard, unmapped } from "./addresses.ts";
import type { Internet } from "./internet.ts";
import type { OpenSocket } from "./netstat.ts";
import { PortTable } from "./ports.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import { TcpConnect } from "./tcp-connect.ts";
import { TcpListener } from "./tcp-listener.ts";
import { UdpSocket } from "./udp-socket.ts";
import { UnixDatagramSocket } from "./unix-datagram.ts";
import { connectUnix, describePath, UnixListener } from "./unix-listener.ts";
import { UnixNamespace } from "./unix-namespace.ts";

const LOOPBACK = { 4: ip("127.0.0.1"), 6: ip("::1") } as const;

/** From where to where a packet goes. */
export interface Route {
  readonly local: Ip;
  readonly remote: Ip;
  /** `undefined` if no host has the address. */
  readonly to: HostNetwork | undefined;
}

/** What a host's network is made with. */
export interface HostNetworkOptions {
  /** Its addresses beside loopback. */
  readonly addresses: readonly Ip[];
  /** Whether it answers nothing, as a host that has lost its power. */
  readonly silent: boolean;
}

/** The network of one simulated host: its addresses, ports, paths and sockets. */
export class HostNetwork implements Network {
  readonly internet: Internet;
  readonly addresses: readonly Ip[];
  readonly silent: boolean;
  readonly tcp: PortTable<TcpListener> = new PortTable();
  readonly udp: PortTable<UdpSocket> = new PortTable();
  readonly unix: UnixNamespace = new UnixNamespace();
  /** All of this host, also those that are closed but not gone. */
  readonly sockets: Set<OpenSocket> = new Set();

  constructor(internet: Internet, { addresses, silent }: HostNetworkOptions) {
    this.internet = internet;
    this.addresses = addresses;
    this.silent = silent;
    internet.attach(this);
  }

  /** The machine goes down: nothing of its sockets is left but their files. */
  crash(): void {
    this.unix.keepsFiles = true;
    for (const socket of this.sockets) socket.close(true);
    this.unix.keepsFiles = false;
  }

  // The contract ---------------------------------------------------------------------------------------------------------

  connect(target: ConnectTarget, completion: Completion<Wire>): Withdraw {
    if (target.kind === "unix") return connectUnix(this, target.path, completion);
    return new TcpConnect(this, target, completion).start();
  }

  listen(
    target: ListenTarget,
    acceptor: Acceptor,
    completion: Completion<ListenerHandle>,
  ): Withdraw {
    if (target.kind === "descriptor") {
      throw new NotSupportedError(
        `listen on descriptor ${target.descriptor}: simulated sockets have no descriptors; listen on an address or a path`,
      );
    }
    if (target.kind === "unix") {
      const listener = new UnixListener(this, target.path, acceptor);
      const attempt = `listen on ${describePath(target.path)}`;
      return this.#opened(listener, listener.bind(target.mode), attempt, completion);
    }
    const listener = new TcpListener(this, acceptor, target.backlog);
    const attempt = `listen on ${describeEndpoint(target.host, target.port)}`;
    return this.#opened(listener, listener.bind(target), attempt, completion);
  }

  openDatagram(
    target: DatagramTarget,
    receiver: DatagramReceiver,
    completion: Completion<DatagramHandle>,
  ): Withdraw {
    const socket = new UdpSocket(this, target, receiver);
    const host = target.host ?? (target.family === 4 ? "0.0.0.0" : "::");
    const attempt = `bind a datagram socket to ${describeEndpoint(host, target.port)}`;
    return this.#opened(socket, socket.bind(target), attempt, completion);
  }

  openUnixDatagram(
    target: UnixDatagramTarget,
    receiver: DatagramReceiver,
    completion: Completion<DatagramHandle>,
  ): Withdraw {
    const socket = new UnixDatagramSocket(this, target, receiver);
    const attempt = `bind a datagram socket to ${describePath(target.path ?? "no path")}`;
    return this.#opened(socket, socket.bind(target), attempt, completion);
  }

  lookup(host: string, family: 4 | 6, completion: Completion<readonly string[]>): Withdraw {
    return this.internet.names.lookup(host, family, completion);
  }

  /** Tells how opening a socket went, as soon as the caller has returned. */
  #opened<T extends { close(): void }>(
    socket: T,
    error: SystemCode | null,
    attempt: string,
    completion: Completion<T>,
  ): Withdraw {
    const timer = this.internet.fabric.soon(() => {
      if (error !== null) completion.fail(systemError(attempt, error));
      else completion.succeed(socket);
    });
    return () => {
      timer.clear();
      if (error === null) socket.close();
    };
  }

  // For its parts --------------------------------------------------------------------------------------------------------

  /** Whether this address is one of this host. */
  owns(address: Ip): boolean {
    return isLoopback(address) || this.addresses.some(({ text }) => text === address.text);
  }

  /** The way from here to `wanted`, from the address `from` if that is given. */
  route(wanted: Ip, from: Ip | undefined): Route | SystemCode {
    const target = unmapped(wanted);
    const remote = isWildcard(target) ? LOOPBACK[target.family] : target;
    const local = from === undefined || isWildcard(from) ? this.#sourceFor(remote) : unmapped(from);
    if (local === undefined) return "ENETUNREACH";
    if (!this.owns(local)) return "EADDRNOTAVAIL";
    if (local.family !== remote.family) return "EINVAL";
    const to = isLoopback(remote) ? this : this.internet.at(remote);
    // Loopback is no address to leave the host with.
    return isLoopback(local) && to !== this ? "EINVAL" : { local, remote, to };
  }

  #sourceFor(remote: Ip): Ip | undefined {
    if (isLoopback(remote)) return LOOPBACK[remote.family];
    if (this.owns(remote)) return remote;
    return this.addresses.find(({ family }) => family === remote.family);
  }
}
