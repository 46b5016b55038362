import type {
  Completion,
  DatagramHandle,
  DatagramOption,
  DatagramReceiver,
  DatagramTarget,
} from "../../platform/network.ts";
import type { IpAddress, SocketAddress } from "../../platform/wire.ts";
import type { Chooser } from "../chooser.ts";
import {
  type Ip,
  isBroadcast,
  isMulticast,
  isWildcard,
  mapped,
  parseIp,
  unmapped,
} from "./addresses.ts";
import type { HostNetwork } from "./host-network.ts";
import type { OpenSocket, SocketStatus } from "./netstat.ts";
import type { Binding } from "./ports.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import { deliverDatagram } from "./udp-delivery.ts";

/** Longest datagram in bytes: 16 bits of length, less the headers (RFC 768, RFC 791, RFC 8200). */
const DATAGRAM_BYTES_MAX = { 4: 65_507, 6: 65_527 } as const;

/** A UDP socket of a simulated host. */
export class UdpSocket implements DatagramHandle, OpenSocket {
  readonly host: HostNetwork;
  readonly chooser: Chooser;
  readonly #receiver: DatagramReceiver;
  readonly #family: 4 | 6;
  /** The only one it talks to, if it is connected. */
  #peer: { readonly ip: Ip; readonly port: number } | null = null;
  #binding: Binding<UdpSocket> | null = null;
  readonly #groups: Set<string> = new Set();
  readonly #options: Map<DatagramOption["name"], boolean | number | string> = new Map();
  #address: IpAddress = { host: "", port: 0 };
  /** When the last datagram that this socket has sent arrives: they do not overtake one another unless the world wants it. */
  lastArrivalUs = 0;
  /** Bytes of what it has sent and what has not arrived. */
  inFlightBytes = 0;

  constructor(host: HostNetwork, target: DatagramTarget, receiver: DatagramReceiver) {
    const { fabric } = host.internet;
    this.host = host;
    this.chooser = fabric.chooserForConnection();
    this.#receiver = receiver;
    this.#family = target.family;
  }

  /** Binds and connects, or says why not. */
  bind(target: DatagramTarget): SystemCode | null {
    const wanted = parseIp(target.host ?? (target.family === 4 ? "0.0.0.0" : "::"));
    if (wanted?.family !== target.family) return "EINVAL";
    let address = unmapped(wanted);
    if (!isWildcard(address) && !isMulticast(address) && !this.host.owns(address))
      return "EADDRNOTAVAIL";
    if (target.remote !== undefined) {
      const remote = parseIp(target.remote.host);
      if (remote?.family !== target.family) return "EINVAL";
      const route = this.host.route(remote, isWildcard(address) ? undefined : address);
      if (typeof route === "string") return route;
      this.#peer = { ip: route.remote, port: target.remote.port };
      address = route.local;
    }
    const share = target.reusePort ? "port" : "none";
    const binding = this.host.udp.bind({
      address,
      port: target.port,
      dual: address.family === 6 && !target.ipv6Only,
      share: target.reuseAddress ? "address" : share,
      owner: this,
    });
    if (typeof binding === "string") return binding;
    this.#binding = binding;
    this.#address = { host: this.#shown(address), port: binding.port };
    this.host.sockets.add(this);
    return null;
  }

  get localAddress(): SocketAddress {
    return this.#address;
  }

  send(bytes: Uint8Array, to: SocketAddress | undefined, completion: Completion<void>): void {
    const error = this.#trySend(bytes, to as IpAddress | undefined);
    this.host.internet.fabric.soon(() => {
      if (error === null) completion.succeed();
      else completion.fail(systemError("send a datagram", error));
    });
  }

  #trySend(bytes: Uint8Array, to: IpAddress | undefined): SystemCode | null {
    const peer = this.#peer;
    if (to === undefined && peer === null) return "EDESTADDRREQ";
    if (to !== undefined && peer !== null) return "EISCONN";
    const wanted = to === undefined ? peer?.ip : parseIp(to.host);
    const binding = this.#binding;
    if (wanted === undefined || binding === null) return "EINVAL";
    const target = unmapped(wanted);
    if (to !== undefined && wanted.family !== this.#family) return "EAFNOSUPPORT";
    if (target.family === 4 && this.#family === 6 && !binding.dual && !isPlainFour(binding))
      return "ENETUNREACH";
    if (bytes.length > DATAGRAM_BYTES_MAX[target.family]) return "EMSGSIZE";
    if (isBroadcast(target) && this.#options.get("broadcast") !== true) return "EACCES";
    const from = binding.wildcard || isMulticast(binding.address) ? undefined : binding.address;
    const route = this.host.route(target, from);
    if (typeof route === "string") return route;
    deliverDatagram(this, {
      bytes,
      local: route.local,
      localPort: binding.port,
      remote: route.remote,
      remotePort: to?.port ?? peer?.port ?? 0,
      to: route.to,
    });
    return null;
  }

  setOption({ name, value }: DatagramOption): void {
    const isTtl = name === "timeToLive" || name === "multicastTimeToLive";
    if (isTtl && !(value >= (name === "timeToLive" ? 1 : 0) && value <= 255))
      throw systemError(`set ${name}`, "EINVAL");
    this.#options.set(name, value);
  }

  setMembership(
    action: "join" | "leave",
    group: string,
    networkInterface: string | undefined,
  ): void {
    const refusal = this.#refuseMembership(action, group, networkInterface);
    if (refusal !== null) throw systemError(`${action} ${group}`, refusal);
    const { text } = parseIp(group) as Ip;
    if (action === "join") this.#groups.add(text);
    else this.#groups.delete(text);
  }

  #refuseMembership(
    action: "join" | "leave",
    group: string,
    networkInterface: string | undefined,
  ): SystemCode | null {
    const address = parseIp(group);
    if (address === undefined || !isMulticast(address)) return "EINVAL";
    if (address.family !== this.#family) return "EINVAL";
    const own = networkInterface === undefined ? undefined : parseIp(networkInterface);
    if (own !== undefined && !isWildcard(own) && !this.host.owns(own)) return "EADDRNOTAVAIL";
    const isIn = this.#groups.has(address.text);
    if (action === "join") return isIn ? "EADDRINUSE" : null;
    return isIn ? null : "EADDRNOTAVAIL";
  }

  close(): void {
    if (this.#binding === null) return;
    this.host.udp.unbind(this.#binding);
    this.#binding = null;
    this.host.sockets.delete(this);
  }

  // For delivery ---------------------------------------------------------------------------------------------------------

  /** Whether it wants what comes from there; a connected socket wants nothing but its peer's. */
  wants(from: Ip, port: number): boolean {
    return this.#peer === null || this.isConnectedTo(from, port);
  }

  isConnectedTo(from: Ip, port: number): boolean {
    return this.#peer !== null && this.#peer.ip.text === from.text && this.#peer.port === port;
  }

  isIn(group: Ip): boolean {
    return this.#groups.has(group.text);
  }

  /** Whether multicast datagrams that it sends come to its own host too. */
  get loopsBack(): boolean {
    return this.#options.get("multicastLoopback") !== false;
  }

  /** Whether multicast datagrams that it sends leave its host. */
  get reachesOthers(): boolean {
    return this.#options.get("multicastTimeToLive") !== 0;
  }

  received(bytes: Uint8Array, from: Ip, port: number): void {
    this.#receiver.received(bytes, { host: this.#shown(from), port });
  }

  /** The network told that a datagram could not be delivered. Systems tell only connected sockets. */
  bounced(code: "ECONNREFUSED" | "EHOSTUNREACH"): void {
    if (this.#binding !== null && this.#peer !== null)
      this.#receiver.failed(systemError("datagram socket", code));
  }

  /** How this socket shows an address: one of IPv6 shows IPv4 as mapped IPv6. */
  #shown(address: Ip): string {
    return this.#family === 6 && address.family === 4 ? mapped(address).text : address.text;
  }

  status(): SocketStatus {
    const peer = this.#peer;
    return {
      kind: "udp",
      state: "open",
      local: this.#address,
      remote: peer === null ? undefined : { host: this.#shown(peer.ip), port: peer.port },
      unreadBytes: 0,
      unsentBytes: 0,
      options: this.#options,
    };
  }
}

/** Bound to one mapped IPv4 address. */
function isPlainFour({ address }: Binding<UdpSocket>): boolean {
  return address.family === 4;
}
