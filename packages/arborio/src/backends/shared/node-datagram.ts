/**
 * UDP through `node:dgram`, as Node, Bun and Deno have it.
 */
import type { Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { outsideContext } from "./ambient.ts";
import type {
  Completion,
  DatagramHandle,
  DatagramOption,
  DatagramReceiver,
  DatagramTarget,
  Withdraw,
} from "../../platform/network.ts";
import type { IpAddress, SocketAddress } from "../../platform/wire.ts";
import { lazily } from "./builtin.ts";
import { toSystemError } from "./system-error.ts";

const dgram = lazily("node:dgram");

/** A datagram that fills less of its buffer than this is copied out of it: Deno gives each one a buffer of 64 KiB. */
const PINNING_SHARE = 0.5;

export function openDatagram(
  target: DatagramTarget,
  receiver: DatagramReceiver,
  completion: Completion<DatagramHandle>,
): Withdraw {
  // Sockets made in a task's async context would keep that context alive.
  return outsideContext(() => new OpeningDatagram(target, receiver, completion).start());
}

/** A socket on its way: bound, then perhaps connected. */
class OpeningDatagram {
  readonly #target: DatagramTarget;
  readonly #receiver: DatagramReceiver;
  readonly #completion: Completion<DatagramHandle>;
  readonly #socket: Socket;
  /** It is open, or will not be. The runtimes call back even after `close`. */
  #over = false;

  constructor(
    target: DatagramTarget,
    receiver: DatagramReceiver,
    completion: Completion<DatagramHandle>,
  ) {
    this.#target = target;
    this.#receiver = receiver;
    this.#completion = completion;
    const { family, reuseAddress, reusePort, ipv6Only } = target;
    this.#socket = dgram().createSocket({
      type: family === 6 ? "udp6" : "udp4",
      reuseAddr: reuseAddress,
      reusePort,
      ipv6Only,
      lookup: (host, _options, callback) => this.#lookUp(() => callback(null, host, family)),
    });
  }

  /**
   * Addresses come here numeric. The runtimes ask the name service for them all the same, which would take them a turn of the host
   * before they send; answered at once, the system has the datagram when `send` returns (Node, Bun), and closing loses none. Binding
   * must not call back before it returned.
   */
  #lookUp(answer: () => void): void {
    if (this.#over) answer();
    else queueMicrotask(answer);
  }

  start(): Withdraw {
    const { host, port, remote } = this.#target;
    const socket = this.#socket;
    socket.on("error", (error) => this.#failed(error));
    socket.on("message", (bytes, { address, port: from }) => {
      this.#receiver.received(ownBytes(bytes), { host: address, port: from });
    });
    // In a cluster, a port that the system chooses is otherwise shared by all workers, who would get one another's answers.
    socket.bind(
      { port, exclusive: port === 0, ...(host === undefined ? {} : { address: host }) },
      () => {
        if (this.#over) return;
        if (remote === undefined) this.#opened();
        else this.#connect(remote);
      },
    );
    return () => this.#close();
  }

  #connect({ host, port }: IpAddress): void {
    this.#socket.connect(port, host, (error?: Error | null) => {
      if (this.#over) return;
      // Bun's error has no code, and Deno's connect cannot fail: it only notes the address.
      if (error instanceof Error) this.#failed(error);
      else this.#opened();
    });
  }

  #opened(): void {
    this.#over = true;
    const { address: host, port } = this.#socket.address();
    const socket = this.#socket;
    socket.removeAllListeners("error");
    const name = `UDP socket ${describeTarget({ ...this.#target, host, port })}`;
    socket.on("error", (error) => this.#receiver.failed(toSystemError(name, error)));
    this.#completion.succeed(new NodeDatagram(socket, { host, port }));
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    this.#close();
    this.#completion.fail(
      toSystemError(`open a UDP socket ${describeTarget(this.#target)}`, error),
    );
  }

  #close(): void {
    this.#over = true;
    this.#socket.removeAllListeners("message");
    closeSocket(this.#socket);
  }
}

class NodeDatagram implements DatagramHandle {
  readonly #socket: Socket;
  readonly localAddress: IpAddress;

  constructor(socket: Socket, localAddress: IpAddress) {
    this.#socket = socket;
    this.localAddress = localAddress;
  }

  send(bytes: Uint8Array, to: SocketAddress | undefined, completion: Completion<void>): void {
    const done = (error: Error | null): void => {
      if (error instanceof Error) completion.fail(toSystemError(describeSend(bytes, to), error));
      else completion.succeed();
    };
    if (to === undefined) {
      this.#socket.send(bytes, 0, bytes.length, done);
    } else {
      const { host, port } = to as IpAddress;
      this.#socket.send(bytes, 0, bytes.length, port, host, done);
    }
  }

  setOption(option: DatagramOption): void {
    attempt(`set the option ${option.name} to ${option.value}`, () => {
      const socket = this.#socket;
      switch (option.name) {
        case "broadcast":
          socket.setBroadcast(option.value);
          break;
        case "timeToLive":
          socket.setTTL(option.value);
          break;
        case "multicastTimeToLive":
          socket.setMulticastTTL(option.value);
          break;
        case "multicastLoopback":
          socket.setMulticastLoopback(option.value);
          break;
        case "multicastInterface":
          requireInterface(option.value);
          socket.setMulticastInterface(option.value);
          break;
      }
    });
  }

  setMembership(
    action: "join" | "leave",
    group: string,
    networkInterface: string | undefined,
  ): void {
    attempt(`${action} the multicast group ${group}`, () => {
      if (networkInterface !== undefined) requireInterface(networkInterface);
      if (action === "join") this.#socket.addMembership(group, networkInterface);
      else this.#socket.dropMembership(group, networkInterface);
    });
  }

  close(): void {
    this.#socket.removeAllListeners("message");
    closeSocket(this.#socket);
  }
}

/** The memory of a datagram, without the rest of a much larger buffer. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.byteLength < bytes.buffer.byteLength * PINNING_SHARE ? view.slice() : view;
}

/** A name that no interface has would be taken for "any" (all three runtimes, IPv6). */
function requireInterface(networkInterface: string): void {
  const [, name] = networkInterface.split("%");
  if (name === undefined || Object.hasOwn(networkInterfaces(), name)) return;
  throw Object.assign(new Error(`no network interface is called ${name}`), { code: "ENODEV" });
}

/** Errors that come later than this belong to nobody. */
function closeSocket(socket: Socket): void {
  socket.removeAllListeners("error");
  socket.on("error", () => {});
  try {
    socket.close();
  } catch {
    // The runtime has closed it, when it could not be bound.
  }
}

function attempt(what: string, fn: () => void): void {
  try {
    fn();
  } catch (error) {
    throw toSystemError(what, error);
  }
}

function describeSend(bytes: Uint8Array, to: SocketAddress | undefined): string {
  const target = to === undefined ? "" : ` to ${formatIp(to as IpAddress)}`;
  return `send a datagram of ${bytes.length} bytes${target}`;
}

function describeTarget({ family, host, port, remote }: DatagramTarget): string {
  const local = formatIp({ host: host ?? (family === 6 ? "::" : "0.0.0.0"), port });
  return remote === undefined ? `at ${local}` : `at ${local} for ${formatIp(remote)}`;
}

function formatIp({ host, port }: IpAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
