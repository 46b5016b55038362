import type { Acceptor, ListenerHandle } from "../../platform/network.ts";
import type { SocketAddress } from "../../platform/wire.ts";
import { type Ip, mapped } from "./addresses.ts";
import type { Binding } from "./ports.ts";
import type { StreamSocket } from "./stream-socket.ts";

/** A socket that listens for TCP connections. */
export class TcpListener implements ListenerHandle {
  readonly #acceptor: Acceptor;
  readonly #backlog: number;
  readonly #onClose: (listener: TcpListener) => void;
  #closed = false;
  /** Connections whose handshake is under way. */
  halfOpen = 0;
  /** Set as soon as it is bound. */
  binding!: Binding<TcpListener>;

  constructor(acceptor: Acceptor, backlog: number, onClose: (listener: TcpListener) => void) {
    this.#acceptor = acceptor;
    this.#backlog = backlog;
    this.#onClose = onClose;
  }

  get address(): SocketAddress {
    return { host: this.binding.address.text, port: this.binding.port };
  }

  /** Whether a further handshake may begin; if not, the system drops what comes, and the client tries again. */
  get hasRoom(): boolean {
    return this.halfOpen < Math.max(this.#backlog, 1);
  }

  /** How this socket shows an address of a client or of its own: one that takes both families shows IPv4 as mapped IPv6. */
  shows(address: Ip): string {
    const { family } = this.binding.address;
    return family === 6 && address.family === 4 ? mapped(address).text : address.text;
  }

  /** The handshake of a connection is done. */
  established(socket: StreamSocket): void {
    if (this.#closed) socket.close(true);
    else this.#acceptor.accepted(socket);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose(this);
  }
}
