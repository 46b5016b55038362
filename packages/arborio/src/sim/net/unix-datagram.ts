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
import { type SystemCode, systemError } from "./system-errors.ts";
import { describePath } from "./unix-listener.ts";
import type { UnixName } from "./unix-namespace.ts";

/** Longest datagram in bytes, as on Linux with its default send buffer. */
const DATAGRAM_BYTES_MAX = 212_960;

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
    const error = this.#trySend(bytes, path);
    this.#host.internet.fabric.soon(() => {
      if (error === null) completion.succeed();
      else completion.fail(systemError(`send to ${describePath(path ?? "")}`, error));
    });
  }

  #trySend(bytes: Uint8Array, path: string | undefined): SystemCode | null {
    if (path === undefined) return "EDESTADDRREQ";
    const peer = this.#find(path);
    if (typeof peer === "string") return peer;
    if (bytes.length > DATAGRAM_BYTES_MAX) return "EMSGSIZE";
    const copy = bytes.slice();
    this.#path.send(() => peer.#arrived(copy, this.localAddress));
    return null;
  }

  #find(path: string): UnixDatagramSocket | SystemCode {
    const name = this.#host.unix.find(path);
    if (typeof name === "string") return name;
    if (name.owner === null) return "ECONNREFUSED";
    return name.owner.kind === "datagram" ? name.owner : "EPROTOTYPE";
  }

  /** A connected socket takes only what its peer sends. */
  #arrived(bytes: Uint8Array, from: UnixAddress): void {
    const isWanted = this.#remotePath === undefined || this.#remotePath === from.path;
    if (this.#open && isWanted) this.#receiver.received(bytes, from);
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
  }

  status(): SocketStatus {
    return {
      kind: "unix-datagram",
      state: "open",
      local: this.localAddress,
      remote: this.#remotePath === undefined ? undefined : { path: this.#remotePath },
      unreadBytes: 0,
      unsentBytes: 0,
      options: {},
    };
  }
}
