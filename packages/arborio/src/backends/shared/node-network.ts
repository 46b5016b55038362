/**
 * The network through `node:net`, `node:dgram` and `node:dns`.
 */
import type { Completion, Network, Withdraw } from "../../platform/network.ts";
import type { Wire } from "../../platform/wire.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { faultOfDescriptor } from "./descriptor.ts";
import { connect } from "./node-connect.ts";
import { openDatagram } from "./node-datagram.ts";
import { listen } from "./node-listen.ts";
import { NodeWire } from "./node-wire.ts";
import { toSystemError } from "./system-error.ts";

const net = lazily("node:net");
const dns = lazily("node:dns");

export const nodeNetwork: Network = { connect, listen, lookup, openDatagram, adopt };

function lookup(host: string, family: 4 | 6, completion: Completion<readonly string[]>): Withdraw {
  let wanted = true;
  outsideContext(() =>
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

function adopt(descriptor: number): Wire {
  return outsideContext(() => {
    try {
      const socket = new (net().Socket)({
        fd: descriptor,
        readable: true,
        writable: true,
        allowHalfOpen: true,
      });
      const isUnix = socket.remoteAddress === undefined;
      if (!isUnix) socket.setNoDelay(true);
      return new NodeWire(socket, isUnix ? { local: { path: "" }, remote: { path: "" } } : null);
    } catch (error) {
      const told = faultOfDescriptor(descriptor) ?? error;
      throw toSystemError(`adopt descriptor ${descriptor}`, told);
    }
  });
}
