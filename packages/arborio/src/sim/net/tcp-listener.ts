import type { Acceptor, ListenerHandle, ListenTarget } from "../../platform/network.ts";
import type { SocketAddress } from "../../platform/wire.ts";
import { type Ip, isWildcard, mapped, parseIp, unmapped } from "./addresses.ts";
import type { HostNetwork } from "./host-network.ts";
import type { OpenSocket, SocketStatus } from "./netstat.ts";
import type { Binding } from "./ports.ts";
import type { StreamSocket } from "./stream-socket.ts";
import type { SystemCode } from "../system-errors.ts";

/** A socket that listens for TCP connections. */
export class TcpListener implements ListenerHandle, OpenSocket {
  readonly #host: HostNetwork;
  readonly #acceptor: Acceptor;
  readonly #backlog: number;
  #binding: Binding<TcpListener> | null = null;
  #family: 4 | 6 = 4;
  #address: SocketAddress = { host: "", port: 0 };
  /** Connections whose handshake is under way. */
  halfOpen = 0;

  constructor(host: HostNetwork, acceptor: Acceptor, backlog: number) {
    this.#host = host;
    this.#acceptor = acceptor;
    this.#backlog = backlog;
  }

  /** Binds and listens, or says why not. */
  bind(target: Extract<ListenTarget, { kind: "tcp" }>): SystemCode | null {
    const wanted = parseIp(target.host);
    if (wanted === undefined) return "ENOTFOUND";
    const address = unmapped(wanted);
    if (!isWildcard(address) && !this.#host.owns(address)) return "EADDRNOTAVAIL";
    const binding = this.#host.tcp.bind({
      address,
      port: target.port,
      dual: address.family === 6 && !target.ipv6Only,
      share: target.reusePort ? "port" : "none",
      owner: this,
    });
    if (typeof binding === "string") return binding;
    this.#binding = binding;
    this.#family = wanted.family;
    this.#address = { host: wanted.text, port: binding.port };
    this.#host.sockets.add(this);
    return null;
  }

  get address(): SocketAddress {
    return this.#address;
  }

  /** Whether a further handshake may begin; if not, the system drops what comes, and the client tries again. */
  get hasRoom(): boolean {
    return this.halfOpen < Math.max(this.#backlog, 1);
  }

  /** How this socket shows an address of a client or of its own: one of IPv6 shows IPv4 as mapped IPv6. */
  shows(address: Ip): string {
    return this.#family === 6 && address.family === 4 ? mapped(address).text : address.text;
  }

  /** The handshake of a connection is done. */
  established(socket: StreamSocket): void {
    if (this.#binding === null) socket.close(true);
    else this.#acceptor.accepted(socket);
  }

  close(): void {
    if (this.#binding === null) return;
    this.#host.tcp.unbind(this.#binding);
    this.#binding = null;
    this.#host.sockets.delete(this);
  }

  status(): SocketStatus {
    return {
      kind: "tcp",
      state: "listen",
      local: this.#address,
      remote: undefined,
      unreadBytes: 0,
      unsentBytes: 0,
      options: {},
    };
  }
}
