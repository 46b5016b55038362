import { type Ip, isBroadcast, isMulticast } from "./addresses.ts";
import type { HostNetwork } from "./host-network.ts";
import type { UdpSocket } from "./udp-socket.ts";

/**
 * So many bytes of one socket may be on their way; what is more is lost without a word, as in a router's queue. A program that
 * sends faster than the network carries must see that.
 */
const IN_FLIGHT_BYTES_MAX = 4 * 1024 * 1024;

/** Rates are drawn in parts of so many. */
const RATE_RESOLUTION = 1_000_000;

/** A datagram on its way. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly local: Ip;
  readonly localPort: number;
  readonly remote: Ip;
  readonly remotePort: number;
  /** Who has the remote address; `undefined`: nobody, or several hosts. */
  readonly to: HostNetwork | undefined;
}

/** Carries a datagram to whoever takes it: to one socket, or to all in a group. */
export function deliverDatagram(from: UdpSocket, datagram: Datagram): void {
  const { remote } = datagram;
  if (!isMulticast(remote) && !isBroadcast(remote)) {
    carry(from, datagram, () => arrive(from, datagram));
    return;
  }
  for (const host of from.host.internet.hosts) {
    const goesThere = host === from.host ? from.loopsBack : from.reachesOthers;
    if (goesThere || isBroadcast(remote)) carry(from, datagram, () => arriveAtAll(host, datagram));
  }
}

/** Draws what becomes of one copy, and lets it arrive. Each question is drawn whatever the answer to the others is. */
function carry(from: UdpSocket, { bytes }: Datagram, arrives: () => void): void {
  const { fabric } = from.host.internet;
  const { lossRate, duplicateRate, reorderRate } = fabric.datagrams;
  const isLost = draw(from, lossRate);
  const isDoubled = draw(from, duplicateRate);
  const overtakes = draw(from, reorderRate);
  const delayUs = fabric.delayUs(from.chooser);
  if (isLost || from.inFlightBytes + bytes.length > IN_FLIGHT_BYTES_MAX) return;
  const { nowUs } = fabric.clock;
  const atUs = overtakes ? nowUs + delayUs : Math.max(from.lastArrivalUs, nowUs + delayUs);
  from.lastArrivalUs = Math.max(from.lastArrivalUs, atUs);
  from.inFlightBytes += bytes.length;
  fabric.clock.after(atUs - nowUs, () => {
    from.inFlightBytes -= bytes.length;
    arrives();
  });
  if (isDoubled) fabric.clock.after(atUs - nowUs + fabric.maxUs, arrives);
}

/** A rate of 0 draws nothing: whether faults are on is the world's choice, not chance. */
function draw(from: UdpSocket, rate: number): boolean {
  if (rate === 0) return false;
  return from.chooser.pick("fault", RATE_RESOLUTION) >= RATE_RESOLUTION * (1 - rate);
}

function arrive(from: UdpSocket, datagram: Datagram): void {
  const { to } = datagram;
  if (to === undefined) bounce(from, "EHOSTUNREACH");
  else if (!to.silent) {
    const socket = takerAt(to, datagram);
    if (socket === undefined) bounce(from, "ECONNREFUSED");
    else receive(socket, datagram);
  }
}

/** The socket that a datagram for one host belongs to: one connected to its sender, else one of those bound to the port. */
function takerAt(host: HostNetwork, datagram: Datagram): UdpSocket | undefined {
  const { local, localPort, remote, remotePort } = datagram;
  const bindings = host.udp.find(remote, remotePort, ({ owner }) => owner.wants(local, localPort));
  const connected = bindings.filter(({ owner }) => owner.isConnectedTo(local, localPort));
  const takers = connected.length > 0 ? connected : bindings;
  const last = takers.at(-1);
  if (last?.share !== "port") return last?.owner;
  return takers[host.internet.fabric.chooser.pick("spread", takers.length)]?.owner;
}

function arriveAtAll(host: HostNetwork, datagram: Datagram): void {
  const { local, localPort, remote, remotePort } = datagram;
  if (host.silent) return;
  for (const binding of host.udp.boundTo(remotePort)) {
    const { owner, address, wildcard } = binding;
    const isTaken = isMulticast(remote)
      ? owner.isIn(remote) && (wildcard || address.text === remote.text)
      : wildcard && (address.family === 4 || binding.dual);
    if (isTaken && owner.wants(local, localPort)) receive(owner, datagram);
  }
}

/** What is received belongs to the receiver, and there may be several. */
function receive(socket: UdpSocket, { bytes, local, localPort }: Datagram): void {
  socket.received(bytes.slice(), local, localPort);
}

/** A router's or the other host's answer takes its own time. */
function bounce(from: UdpSocket, code: "ECONNREFUSED" | "EHOSTUNREACH"): void {
  const { fabric } = from.host.internet;
  fabric.clock.after(fabric.delayUs(from.chooser), () => from.bounced(code));
}
