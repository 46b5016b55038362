import type { ClockTimer } from "../../core/clock.ts";
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
  Withdraw,
} from "../../platform/network.ts";
import type { Wire } from "../../platform/wire.ts";
import type { Chooser } from "../chooser.ts";
import { type Ip, ip, isLoopback, isWildcard, parseIp, unmapped } from "./addresses.ts";
import type { Internet } from "./internet.ts";
import { PortTable } from "./ports.ts";
import type { StreamSocket } from "./stream-socket.ts";
import { type SystemCode, systemError } from "./system-errors.ts";
import { TcpConnect } from "./tcp-connect.ts";
import { TcpListener } from "./tcp-listener.ts";

const LOOPBACK = { 4: ip("127.0.0.1"), 6: ip("::1") } as const;

/** From where to where a packet goes. */
export interface Route {
  readonly local: Ip;
  readonly remote: Ip;
  /** `undefined` if nobody has the address. */
  readonly to: HostNetwork | undefined;
}

/** The network of one simulated host: its addresses, its ports, its sockets. */
export class HostNetwork implements Network {
  readonly name: string;
  readonly internet: Internet;
  readonly addresses: readonly Ip[];
  /** Whether it answers nothing, as a host that has lost its power. */
  readonly silent: boolean;
  readonly tcp: PortTable<TcpListener> = new PortTable();
  /** Connections of this host, also those that are closed but not gone. */
  readonly sockets: Set<StreamSocket> = new Set();
  readonly listeners: Set<TcpListener> = new Set();

  constructor(
    internet: Internet,
    options: { name: string; addresses: readonly Ip[]; silent: boolean },
  ) {
    this.internet = internet;
    this.name = options.name;
    this.addresses = options.addresses;
    this.silent = options.silent;
    for (const address of options.addresses) internet.attach(address, this);
  }

  // The contract ---------------------------------------------------------------------------------------------------------

  connect(target: ConnectTarget, completion: Completion<Wire>): Withdraw {
    if (target.kind === "unix") throw new TypeError("not yet");
    return new TcpConnect(this, target, completion).start();
  }

  listen(
    target: ListenTarget,
    acceptor: Acceptor,
    completion: Completion<ListenerHandle>,
  ): Withdraw {
    if (target.kind !== "tcp") throw new TypeError("not yet");
    const listener = new TcpListener(acceptor, target.backlog, (closed) => {
      this.listeners.delete(closed);
      this.tcp.unbind(closed.binding);
    });
    const parsed = parseIp(target.host);
    const address = parsed === undefined ? undefined : unmapped(parsed);
    let binding;
    if (address === undefined) binding = "ENOTFOUND" as const;
    else if (!isWildcard(address) && !this.owns(address)) binding = "EADDRNOTAVAIL" as const;
    else {
      binding = this.tcp.bind({
        address,
        port: target.port,
        dual: address.family === 6 && !target.ipv6Only,
        share: target.reusePort ? "port" : "none",
        owner: listener,
      });
    }
    if (typeof binding === "string") {
      const error = systemError(`listen on ${target.host}:${target.port}`, binding);
      return this.#later(() => completion.fail(error));
    }
    listener.binding = binding;
    this.listeners.add(listener);
    const withdraw = this.#later(() => completion.succeed(listener));
    return () => {
      withdraw();
      listener.close();
    };
  }

  openDatagram(
    _target: DatagramTarget,
    _receiver: DatagramReceiver,
    _completion: Completion<DatagramHandle>,
  ): Withdraw {
    throw new TypeError("not yet");
  }

  lookup(host: string, family: 4 | 6, completion: Completion<readonly string[]>): Withdraw {
    const numeric = parseIp(host);
    const found =
      numeric === undefined
        ? host === "localhost"
          ? [LOOPBACK[family].text]
          : []
        : numeric.family === family
          ? [numeric.text]
          : [];
    return this.#later(() => {
      if (found.length > 0) completion.succeed(found);
      else completion.fail(systemError(`look up ${host}`, "ENOTFOUND"));
    });
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
    return { local, remote, to: isLoopback(remote) ? this : this.internet.at(remote) };
  }

  #sourceFor(remote: Ip): Ip | undefined {
    if (isLoopback(remote)) return LOOPBACK[remote.family];
    if (this.owns(remote)) return remote;
    return this.addresses.find(({ family }) => family === remote.family);
  }

  /** Who takes a TCP connection to this address and port. */
  listenerFor(address: Ip, port: number, chooser: Chooser): TcpListener | undefined {
    const bindings = this.tcp.find(address, port);
    if (bindings.length === 0) return undefined;
    return bindings[chooser.pick("spread", bindings.length)]?.owner;
  }

  #later(done: () => void): Withdraw {
    const timer: ClockTimer = this.internet.fabric.soon(done);
    return () => timer.clear();
  }
}
