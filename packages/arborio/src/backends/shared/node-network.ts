/**
 * The network through `node:net`, `node:dgram` and `node:dns`.
 */
import type { ListenOptions, Server, Socket } from "node:net";
import { asyncLocalStorage } from "./ambient.ts";
import type {
  Acceptor,
  Completion,
  ConnectTarget,
  ListenerHandle,
  ListenTarget,
  Network,
  Withdraw,
} from "../../platform/network.ts";
import type { SocketAddress, Wire } from "../../platform/wire.ts";
import { lazily } from "./builtin.ts";
import { openDatagram } from "./node-datagram.ts";
import { NodeWire } from "./node-wire.ts";
import { toSystemError } from "./system-error.ts";

const net = lazily("node:net");
const dns = lazily("node:dns");

export function connect(target: ConnectTarget, completion: Completion<Wire>): Withdraw {
  // Sockets made in a task's async context would keep that context alive.
  return asyncLocalStorage.exit(() => {
    const socket = net().connect(
      target.kind === "unix"
        ? { path: target.path, allowHalfOpen: true }
        : {
            host: target.host,
            port: target.port,
            localAddress: target.localHost,
            localPort: target.localPort,
            allowHalfOpen: true,
            noDelay: true,
            autoSelectFamily: false,
          },
    );
    const fail = (error: unknown): void => {
      completion.fail(toSystemError(`connect to ${describeTarget(target)}`, error));
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.removeListener("error", fail);
      completion.succeed(new NodeWire(socket));
    });
    return () => {
      socket.removeAllListeners();
      socket.on("error", () => {});
      socket.destroy();
    };
  });
}

export function listen(
  target: ListenTarget,
  acceptor: Acceptor,
  completion: Completion<ListenerHandle>,
): Withdraw {
  return asyncLocalStorage.exit(() => {
    const server = net().createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) =>
      acceptor.accepted(new NodeWire(socket)),
    );
    const fail = (error: unknown): void => {
      completion.fail(toSystemError(`listen on ${describeTarget(target)}`, error));
    };
    server.once("error", fail);
    server.listen(listenOptions(target), () => {
      server.removeListener("error", fail);
      server.on("error", (error) => acceptor.failed(toSystemError("accept", error)));
      completion.succeed({ address: addressOf(server), close: () => void server.close() });
    });
    return () => {
      server.removeAllListeners();
      server.on("error", () => {});
      server.close();
    };
  });
}

function listenOptions(target: ListenTarget): ListenOptions {
  if (target.kind === "descriptor")
    return { fd: target.descriptor, backlog: target.backlog } as ListenOptions;
  if (target.kind === "unix") return { path: target.path, backlog: target.backlog };
  const { host, port, backlog, reusePort, ipv6Only } = target;
  return { host, port, backlog, reusePort, ipv6Only };
}

function addressOf(server: Server): SocketAddress {
  const address = server.address();
  if (address === null || typeof address === "string") return { path: address ?? "" };
  return { host: address.address, port: address.port };
}

/** For messages. */
function describeTarget(target: ConnectTarget | ListenTarget): string {
  if (target.kind === "unix") return target.path;
  if (target.kind === "descriptor") return `descriptor ${target.descriptor}`;
  return target.host.includes(":")
    ? `[${target.host}]:${target.port}`
    : `${target.host}:${target.port}`;
}

export function lookup(
  host: string,
  family: 4 | 6,
  completion: Completion<readonly string[]>,
): Withdraw {
  let wanted = true;
  asyncLocalStorage.exit(() =>
    dns().lookup(host, { family, all: true }, (error, found) => {
      if (!wanted) return;
      if (error !== null) completion.fail(toSystemError(`look up ${host}`, error));
      else completion.succeed(found.map(({ address }) => address));
    }),
  );
  return () => {
    wanted = false;
  };
}

export const nodeNetwork: Network = {
  connect,
  listen,
  lookup,
  openDatagram,
};
