import type { NetConnectOpts, Socket } from "node:net";
import type { Completion, ConnectTarget, Withdraw } from "../../platform/network.ts";
import type { Wire } from "../../platform/wire.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { describeTarget } from "./describe-target.ts";
import { NodeWire, type UnixEnds } from "./node-wire.ts";
import { toSystemError } from "./system-error.ts";

const net = lazily("node:net");

/**
 * Connects through `node:net`, which can be stopped at any time on every runtime: destroying the socket gives the descriptor back.
 *
 * @param wireOf makes a wire of a socket that is connected.
 */
export function connect(
  target: ConnectTarget,
  completion: Completion<Wire>,
  wireOf: (socket: Socket, unix: UnixEnds | null) => Wire = nodeWire,
): Withdraw {
  // Sockets made in a task's async context would keep that context alive.
  return outsideContext(() => {
    const socket = net().connect(connectOptions(target));
    const fail = (error: unknown): void => {
      completion.fail(toSystemError(`connect to ${describeTarget(target)}`, error));
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.removeListener("error", fail);
      const unix =
        target.kind === "unix" ? { local: { path: "" }, remote: { path: target.path } } : null;
      completion.succeed(wireOf(socket, unix));
    });
    return () => {
      socket.removeAllListeners();
      socket.on("error", ignore);
      socket.destroy();
    };
  });
}

function nodeWire(socket: Socket, unix: UnixEnds | null): Wire {
  return new NodeWire(socket, unix);
}

function ignore(): void {}

function connectOptions(target: ConnectTarget): NetConnectOpts {
  if (target.kind === "unix") return { path: target.path, allowHalfOpen: true };
  return {
    host: target.host,
    port: target.port,
    localAddress: target.localHost,
    localPort: target.localPort,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: false,
  };
}
