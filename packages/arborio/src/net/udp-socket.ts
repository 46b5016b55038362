import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireFlag, requireOptions } from "../core/arguments.ts";
import type { CancelScope } from "../core/scope.ts";
import type { DatagramOption } from "../platform/network.ts";
import type { IpAddress, SocketAddress } from "../platform/wire.ts";
import { type IpFamily, ipFamily } from "./address.ts";
import type { Datagram, QueueLimits } from "./datagram-queue.ts";
import { DatagramSocket } from "./datagram-socket.ts";
import { requireHost, requirePort } from "./host-name.ts";
import { lookup } from "./lookup.ts";
import { canonicalHost, mappedHost } from "./udp-address.ts";

/** Options of `joinGroup` and `leaveGroup`. */
export interface MembershipOptions {
  /**
   * The network interface to receive from: for IPv4 one of its addresses (`"192.168.0.7"`), for IPv6 its name (`"eth0"`). Default: the
   * system chooses.
   */
  readonly networkInterface?: string;
}

/** What `openUdp` opens and `connectUdp` connects: a datagram socket of the internet protocols. */
export abstract class IpDatagramSocket<Item> extends DatagramSocket<Item, IpAddress> {
  /** The version of the internet protocol. */
  readonly family: IpFamily;

  /** @internal */
  constructor(socketName: string, limits: QueueLimits, family: IpFamily) {
    super(socketName, limits);
    this.family = family;
  }

  /**
   * Allows sending to broadcast addresses (`SO_BROADCAST`). A new socket may not.
   *
   * @throws ClosedResourceError after `close`; SystemError if the system refuses.
   */
  setBroadcast(allowed: boolean): void {
    requireFlag(`${this.socketName}.setBroadcast`, allowed);
    this.#setOption("setBroadcast", { name: "broadcast", value: allowed });
  }

  /**
   * Sets how many routers a datagram may pass that is not multicast: the time to live of IPv4, the hop limit of IPv6.
   *
   * @param hops 1 to 255; most systems begin with 64.
   * @throws ClosedResourceError after `close`; SystemError if the system refuses; NotSupportedError for IPv6 on Deno.
   */
  setTimeToLive(hops: number): void {
    requireHops(`${this.socketName}.setTimeToLive`, hops);
    this.#setOption("setTimeToLive", { name: "timeToLive", value: hops });
  }

  /**
   * Sets how many routers a multicast datagram may pass.
   *
   * @param hops 1 to 255. 1, with which a socket begins: it does not leave this network. (Bun and Deno refuse 0.)
   * @throws ClosedResourceError after `close`; SystemError if the system refuses; NotSupportedError for IPv6 on Deno.
   */
  setMulticastTimeToLive(hops: number): void {
    requireHops(`${this.socketName}.setMulticastTimeToLive`, hops);
    this.#setOption("setMulticastTimeToLive", { name: "multicastTimeToLive", value: hops });
  }

  /**
   * Sets whether multicast datagrams come to this machine's own members too. A new socket's do.
   *
   * @throws ClosedResourceError after `close`; SystemError if the system refuses.
   */
  setMulticastLoopback(enabled: boolean): void {
    requireFlag(`${this.socketName}.setMulticastLoopback`, enabled);
    this.#setOption("setMulticastLoopback", { name: "multicastLoopback", value: enabled });
  }

  /**
   * Sets by which network interface multicast datagrams leave.
   *
   * @param networkInterface for IPv4 one of its addresses, for IPv6 its name.
   * @throws ClosedResourceError after `close`; SystemError if there is no such interface.
   */
  setMulticastInterface(networkInterface: string): void {
    const value = requireInterface(
      `${this.socketName}.setMulticastInterface`,
      networkInterface,
      this.family,
    );
    this.#setOption("setMulticastInterface", { name: "multicastInterface", value });
  }

  /**
   * Joins a multicast group: from now on what is sent to it, and to the port of this socket, comes here. The socket should be bound to all
   * addresses, and with `reuseAddress` if others on this machine listen to the same group.
   *
   * @param group a numeric multicast address: `"239.1.2.3"`, `"ff02::1234"`.
   * @throws ClosedResourceError after `close`; SystemError if the system refuses: the group is joined already, there is no such interface.
   */
  joinGroup(group: string, options: MembershipOptions = {}): void {
    this.#setMembership("join", group, options);
  }

  /**
   * Leaves a multicast group. Closing the socket leaves all.
   *
   * @param options as the group was joined.
   * @throws ClosedResourceError after `close`; SystemError if the group was not joined.
   */
  leaveGroup(group: string, options: MembershipOptions = {}): void {
    this.#setMembership("leave", group, options);
  }

  #setOption(operation: string, option: DatagramOption): void {
    const refusal = this.closedRefusal(operation);
    if (refusal !== null) throw refusal;
    this.handle.setOption(option);
  }

  #setMembership(action: "join" | "leave", group: string, options: MembershipOptions): void {
    const where = `${this.socketName}.${action}Group`;
    requireOptions(where, options, '{ networkInterface: "192.168.0.7" }');
    if (ipFamily(group) !== this.family) {
      throw new RangeError(
        `${where}: got ${describeValue(group)}, needs a numeric multicast address of IPv${this.family}`,
      );
    }
    const { networkInterface } = options;
    const at =
      networkInterface === undefined
        ? undefined
        : requireInterface(`${where}({ networkInterface })`, networkInterface, this.family);
    const refusal = this.closedRefusal(`${action}Group`);
    if (refusal !== null) throw refusal;
    this.handle.setMembership(action, group, at);
  }
}

/**
 * A UDP socket that sends to anybody and receives from anybody. Made by `openUdp`. Counterpart: `anyio.abc.UDPSocket`.
 */
export class UdpSocket extends IpDatagramSocket<Datagram<IpAddress>> {
  /** Whether an IPv6 socket has nothing to do with IPv4. */
  readonly #ipv6Only: boolean;
  /** The last address sent to, and how the backend wants it: mostly it is the next one too. */
  #lastHost = "";
  #lastNumeric = "";

  /** @internal */
  constructor(limits: QueueLimits, family: IpFamily, ipv6Only: boolean) {
    super("UdpSocket", limits, family);
    this.#ipv6Only = ipv6Only;
  }

  /**
   * Sends a datagram: whole or not at all. Waits until the system has taken it, which says nothing about whether it arrives. Several
   * tasks may send at once. `data` is copied, so it may be changed as soon as `send` has returned its promise.
   *
   * Cancelled before the system was asked (also while a name is looked up), nothing was sent. Cancelled after that, the datagram may have been
   * sent or not.
   *
   * @param data may be empty, which is a datagram too. At most 65,507 bytes by IPv4 and 65,527 by IPv6; above some 1,200 it may be split
   *   on its way, and is lost with each of its parts.
   * @param address an address, as `receive` gave it, or a name, which is looked up each time; the first of its addresses that suits the
   *   socket is taken. A socket of IPv6 sends to IPv4 too, unless it was opened with `ipv6Only`.
   * @throws SystemError if the system refuses: `EMSGSIZE` the datagram is too large, `ENETUNREACH` there is no way there, `EACCES` a broadcast
   *   address without `setBroadcast(true)`; `ENOTFOUND` the name is not known; or what it reported before, and then nothing was sent.
   * @throws ClosedResourceError if this socket is closed, also while waiting.
   * @throws TypeError, RangeError for wrong arguments, such as an address of the other version.
   */
  send(data: Uint8Array, address: IpAddress): Promise<void> {
    const scope = ambientScope();
    const refusal = this.sendRefusal(scope, data);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    try {
      const { host, port } = requireAddress("UdpSocket.send", address);
      const numeric = this.#numericHost(host);
      if (numeric === undefined) return this.#sendByName(scope, data, { host, port });
      return this.transmit(scope, data, { host: numeric, port });
    } catch (error) {
      return scope.kernel.rejected(error);
    }
  }

  async #sendByName(
    scope: CancelScope,
    data: Uint8Array,
    { host, port }: IpAddress,
  ): Promise<void> {
    const copy = new Uint8Array(data);
    const isDual = this.family === 6 && !this.#ipv6Only;
    const [found = ""] = await lookup(host, isDual ? {} : { family: this.family });
    const refusal = this.sendRefusal(scope, copy);
    if (refusal !== null) throw refusal;
    await this.transmit(scope, copy, { host: this.#suited(found, ipFamily(found)), port });
  }

  /** How the backend wants an address; `undefined` for a name. */
  #numericHost(host: string): string | undefined {
    if (host === this.#lastHost) return this.#lastNumeric;
    const family = ipFamily(host);
    if (family === undefined) return undefined;
    this.#lastNumeric = this.#suited(host, family);
    this.#lastHost = host;
    return this.#lastNumeric;
  }

  #suited(host: string, family: IpFamily | undefined): string {
    if (family === this.family) return host;
    if (family === 4 && !this.#ipv6Only) return mappedHost(host);
    throw new RangeError(
      `UdpSocket.send: got the address ${describeValue(host)}, needs one of IPv${this.family}, as the socket is; see openUdp({ family })`,
    );
  }

  /** @internal */
  override accepts(): boolean {
    return true;
  }

  /** @internal */
  override itemOf(datagram: Datagram): Datagram<IpAddress> {
    return datagram as Datagram<IpAddress>;
  }
}

/**
 * A UDP socket that sends to one address and receives from there only. Made by `connectUdp`. There is no connection that anybody could
 * close: the other side is told nothing. Counterpart: `anyio.abc.ConnectedUDPSocket`.
 */
export class ConnectedUdpSocket extends IpDatagramSocket<Uint8Array> {
  /** The only address that is sent to and received from. */
  readonly remoteAddress: IpAddress;
  readonly #remote: string;

  /** @internal */
  constructor(limits: QueueLimits, family: IpFamily, remoteAddress: IpAddress) {
    super("ConnectedUdpSocket", limits, family);
    this.remoteAddress = remoteAddress;
    this.#remote = canonicalHost(remoteAddress.host);
  }

  /**
   * Sends a datagram to the other side, as `UdpSocket.send`.
   *
   * @throws SystemError if the system refuses, as `UdpSocket.send`; or what it reported before, and then nothing was sent: `ECONNREFUSED`
   *   if nobody has the other side's port (not on Deno, which does not tell).
   * @throws ClosedResourceError if this socket is closed, also while waiting.
   */
  send(data: Uint8Array): Promise<void> {
    const scope = ambientScope();
    const refusal = this.sendRefusal(scope, data);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    return this.transmit(scope, data, undefined);
  }

  /**
   * @internal The system sees to it, but for what came before it knew the peer, and not on Deno, where `node:dgram` only notes whom to
   * send to (2.9.5: it keeps datagrams of others).
   */
  override accepts(from: SocketAddress): boolean {
    const { host, port } = from as IpAddress;
    if (port !== this.remoteAddress.port) return false;
    return host === this.remoteAddress.host || canonicalHost(host) === this.#remote;
  }

  /** @internal */
  override itemOf({ data }: Datagram): Uint8Array {
    return data;
  }
}

function requireAddress(where: string, address: IpAddress): IpAddress {
  requireOptions(where, address, '{ host: "127.0.0.1", port: 53 }');
  requirePort(`${where} to { port }`, address.port, 1);
  const host = requireHost(`${where} to { host }`, address.host);
  return { host, port: address.port };
}

function requireHops(where: string, hops: unknown): void {
  const needed = "needs a whole number from 1 to 255";
  if (typeof hops !== "number")
    throw new TypeError(`${where}: got ${describeValue(hops)}, ${needed}`);
  if (!Number.isInteger(hops) || hops < 1 || hops > 255)
    throw new RangeError(`${where}: got ${hops}, ${needed}`);
}

/** As the backends want it: for IPv4 an address, for IPv6 `"::%eth0"`. */
function requireInterface(where: string, networkInterface: unknown, family: IpFamily): string {
  if (typeof networkInterface !== "string") {
    throw new TypeError(
      `${where}: got ${describeValue(networkInterface)}, needs a network interface`,
    );
  }
  if (family === 4 && ipFamily(networkInterface) === 4) return networkInterface;
  if (family === 6 && /^[^\s%/:]+$/.test(networkInterface)) return `::%${networkInterface}`;
  const needed =
    family === 4
      ? 'an IPv4 address of the interface, such as "192.168.0.7"'
      : 'its name, such as "eth0"';
  throw new RangeError(`${where}: got ${describeValue(networkInterface)}, needs ${needed}`);
}
