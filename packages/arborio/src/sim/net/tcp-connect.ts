import type { ClockTimer } from "../../core/clock.ts";
import type { Completion, ConnectTarget, Withdraw } from "../../platform/network.ts";
import type { Wire } from "../../platform/wire.ts";
import type { Chooser } from "../chooser.ts";
import { describeEndpoint, type Ip, parseIp } from "./addresses.ts";
import { Path } from "./path.ts";
import type { HostNetwork } from "./host-network.ts";
import { StreamSocket } from "./stream-socket.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import type { TcpListener } from "./tcp-listener.ts";

export type TcpTarget = Extract<ConnectTarget, { kind: "tcp" }>;

/** A first packet that nobody answers is sent again after 1, 3, 7, … seconds (RFC 6298, section 5.7), so often, as Linux does. */
const RETRIES_MAX = 6;
const FIRST_RETRY_US = 1_000_000;

/** One attempt to connect: the handshake, up to the moment at which both sides have their socket. */
export class TcpConnect {
  readonly #from: HostNetwork;
  readonly #target: TcpTarget;
  readonly #completion: Completion<Wire>;
  #local!: Ip;
  #localPort = 0;
  #remote!: Ip;
  #to: HostNetwork | undefined;
  #chooser!: Chooser;
  #timer: ClockTimer | null = null;
  /** Who the handshake is under way with. */
  #listener: TcpListener | null = null;
  #retries = 0;
  #startUs = 0;

  constructor(from: HostNetwork, target: TcpTarget, completion: Completion<Wire>) {
    this.#from = from;
    this.#target = target;
    this.#completion = completion;
  }

  start(): Withdraw {
    const refusal = this.#prepare();
    if (refusal !== null) this.#wait(1, () => this.#fail(refusal));
    else this.#sendFirst();
    return () => this.#abandon();
  }

  /** Finds out from where to where. */
  #prepare(): SystemCode | null {
    const { host, localHost, localPort } = this.#target;
    const remote = parseIp(host);
    const wantedLocal = localHost === undefined ? undefined : parseIp(localHost);
    if (remote === undefined) return "ENOTFOUND";
    if (localHost !== undefined && wantedLocal === undefined) return "EINVAL";
    const route = this.#from.route(remote, wantedLocal);
    if (typeof route === "string") return route;
    const port = this.#from.tcp.lend(localPort);
    if (typeof port === "string") return port;
    this.#local = route.local;
    this.#remote = route.remote;
    this.#to = route.to;
    this.#localPort = port;
    const { fabric } = this.#from.internet;
    this.#chooser = fabric.chooserForConnection();
    this.#startUs = fabric.clock.nowUs;
    return null;
  }

  #sendFirst(): void {
    this.#wait(this.#delayUs(), () => this.#firstArrived());
  }

  #firstArrived(): void {
    const to = this.#to;
    if (to === undefined) {
      this.#wait(this.#delayUs(), () => this.#fail("EHOSTUNREACH"));
      return;
    }
    if (to.silent) {
      this.#retry();
      return;
    }
    const listeners = to.tcp.find(this.#remote, this.#target.port);
    const listener =
      listeners.length === 0
        ? undefined
        : listeners[this.#chooser.pick("spread", listeners.length)]?.owner;
    if (listener === undefined) {
      this.#wait(this.#delayUs(), () => this.#fail("ECONNREFUSED"));
    } else if (listener.hasRoom) {
      this.#listener = listener;
      listener.halfOpen += 1;
      this.#wait(this.#delayUs(), () => this.#answerArrived(to, listener));
    } else {
      this.#retry();
    }
  }

  #retry(): void {
    this.#retries += 1;
    const atUs = this.#startUs + FIRST_RETRY_US * (2 ** this.#retries - 1);
    const { nowUs } = this.#from.internet.fabric.clock;
    this.#wait(atUs - nowUs, () => {
      if (this.#retries > RETRIES_MAX) this.#fail("ETIMEDOUT");
      else this.#sendFirst();
    });
  }

  /** Here the client has its connection; the server gets its own when the third packet of the handshake arrives. */
  #answerArrived(to: HostNetwork, listener: TcpListener): void {
    const { fabric } = this.#from.internet;
    const nearPath = new Path(fabric, this.#chooser.fork("there"));
    const localPort = this.#localPort;
    const [near, far] = StreamSocket.join(
      {
        kind: "tcp",
        localAddress: { host: this.#local.text, port: localPort },
        remoteAddress: { host: this.#remote.text, port: this.#target.port },
        path: nearPath,
        onGone: (socket) => {
          this.#from.tcp.release(localPort);
          this.#from.sockets.delete(socket);
        },
      },
      {
        kind: "tcp",
        localAddress: { host: listener.shows(this.#remote), port: this.#target.port },
        remoteAddress: { host: listener.shows(this.#local), port: localPort },
        path: new Path(fabric, this.#chooser.fork("back")),
        onGone: (socket) => to.sockets.delete(socket),
      },
    );
    // From here on they belong to the connection, not to the attempt.
    this.#listener = null;
    this.#localPort = 0;
    this.#from.sockets.add(near);
    to.sockets.add(far);
    nearPath.send(() => {
      listener.halfOpen -= 1;
      listener.established(far);
    });
    this.#completion.succeed(near);
  }

  #fail(code: SystemCode): void {
    this.#abandon();
    const { host, port } = this.#target;
    this.#completion.fail(systemError(`connect to ${describeEndpoint(host, port)}`, code));
  }

  /** Gives back what was taken for the attempt; the other side forgets its half of the handshake. */
  #abandon(): void {
    this.#timer?.clear();
    if (this.#listener !== null) this.#listener.halfOpen -= 1;
    this.#listener = null;
    if (this.#localPort !== 0) this.#from.tcp.release(this.#localPort);
    this.#localPort = 0;
  }

  #delayUs(): number {
    return this.#from.internet.fabric.delayUs(this.#chooser);
  }

  #wait(delayUs: number, then: () => void): void {
    this.#timer = this.#from.internet.fabric.clock.after(delayUs, then);
  }
}
