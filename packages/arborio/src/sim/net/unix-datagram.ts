import type {
  Completion,
  DatagramHandle,
  DatagramReceiver,
  UnixDatagramTarget,
} from "../../platform/network.ts";
import type { SocketAddress, UnixAddress } from "../../platform/wire.ts";
import { Path } from "./path.ts";
import type { HostNetwork } from "./host-network.ts";
import type { OpenSocket, SocketStatus } from "./netstat.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import { describePath } from "./unix-listener.ts";
import type { UnixName } from "./unix-namespace.ts";

/** Longest datagram in bytes, as on Linux with its default send buffer. */
const DATAGRAM_BYTES_MAX = 212_960;

/** So many datagrams may be on their way to a socket or wait in it; then senders wait. Linux: `net.unix.max_dgram_qlen`. */
const QUEUE_DATAGRAMS_MAX = 10;

/** A Unix datagram socket. What it sends is neither lost nor reordered. */
export class UnixDatagramSocket implements DatagramHandle, OpenSocket {
  readonly kind = "datagram";
  readonly #host: HostNetwork;
  readonly #receiver: DatagramReceiver;
  readonly #remotePath: string | undefined;
  readonly #path: Path;
  readonly localAddress: UnixAddress;
  #name: UnixName | null = null;
  #open = false;
  #reading = true;
  /** What has arrived and was not taken. */
  readonly #queue: { readonly bytes: Uint8Array; readonly from: UnixAddress }[] = [];
  /** How many are in the queue or on their way to it. */
  #load = 0;
  /** Sends that wait for room. Each socket that sends has as many of them as its owner has sends that wait. */
  readonly #senders: (() => void)[] = [];

  constructor(host: HostNetwork, target: UnixDatagramTarget, receiver: DatagramReceiver) {
    const { fabric } = host.internet;
    this.#host = host;
    this.#receiver = receiver;
    this.#remotePath = target.remotePath;
    this.localAddress = { path: target.path ?? "" };
    this.#path = new Path(fabric, fabric.chooserForConnection());
  }

  /** Binds and connects, or says why not. */
  bind({ path, mode, remotePath }: UnixDatagramTarget): SystemCode | null {
    const peer = remotePath === undefined ? null : this.#find(remotePath);
    if (typeof peer === "string") return peer;
    const name = path === undefined ? null : this.#host.unix.bind(path, mode, this);
    if (typeof name === "string") return name;
    this.#name = name;
    this.#open = true;
    this.#host.sockets.add(this);
    return null;
  }

  send(bytes: Uint8Array, to: SocketAddress | undefined, completion: Completion<void>): void {
    const path = to === undefined ? this.#remotePath : (to as UnixAddress).path;
    this.#host.internet.fabric.soon(() => this.#sendTo(path, bytes, completion));
  }

  #sendTo(path: string | undefined, bytes: Uint8Array, completion: Completion<void>): void {
    if (!this.#open) return;
    const peer = path === undefined ? "EDESTADDRREQ" : this.#find(path);
    const error =
      typeof peer === "string" ? peer : bytes.length > DATAGRAM_BYTES_MAX ? "EMSGSIZE" : null;
    if (error !== null) {
      completion.fail(systemError(`send to ${describePath(path ?? "nobody")}`, error));
      return;
    }
    const taker = peer as UnixDatagramSocket;
    if (taker.#load >= QUEUE_DATAGRAMS_MAX) {
      taker.#senders.push(() => this.#sendTo(path, bytes, completion));
      return;
    }
    taker.#load += 1;
    this.#path.send(() => taker.#arrived(bytes, this.localAddress));
    completion.succeed();
  }

  #find(path: string): UnixDatagramSocket | SystemCode {
    const name = this.#host.unix.find(path);
    if (typeof name === "string") return name;
    if (name.owner === null) return "ECONNREFUSED";
    return name.owner.kind === "datagram" ? name.owner : "EPROTOTYPE";
  }

  #arrived(bytes: Uint8Array, from: UnixAddress): void {
    this.#queue.push({ bytes, from });
    this.#deliver();
  }

  setReading(reading: boolean): void {
    this.#reading = reading;
    if (reading) this.#host.internet.fabric.soon(() => this.#deliver());
  }

  #deliver(): void {
    while (this.#open && this.#reading) {
      const datagram = this.#queue.shift();
      if (datagram === undefined) return;
      this.#load -= 1;
      this.#senders.shift()?.();
      // A connected socket takes only what its peer sends.
      if (this.#remotePath === undefined || this.#remotePath === datagram.from.path)
        this.#receiver.received(datagram.bytes, datagram.from);
    }
  }

  /** Nothing of what can be set means anything here. */
  setOption(): void {}

  setMembership(): void {
    throw systemError("join or leave a multicast group", "EOPNOTSUPP");
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#name !== null) this.#host.unix.unbind(this.#name, true);
    this.#host.sockets.delete(this);
    this.#queue.length = 0;
    // They find that nobody is here any more.
    for (const retry of this.#senders.splice(0)) retry();
  }

  status(): SocketStatus {
    return {
      kind: "unix-datagram",
      state: "open",
      local: this.localAddress,
      remote: this.#remotePath === undefined ? undefined : { path: this.#remotePath },
      unreadBytes: this.#queue.reduce((sum, { bytes }) => sum + bytes.length, 0),
      unsentBytes: 0,
      options: {},
    };
  }
}
