import { NotSupportedError, SystemError } from "../../core/errors.ts";
import type {
  Completion,
  DatagramHandle,
  DatagramReceiver,
  DatagramTarget,
  Network,
  Withdraw,
} from "../../platform/network.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { connect, listen } from "./stream-sockets.ts";

/**
 * The network of Deno: that of its `node:` modules, less what those only pretend to do.
 *
 * Deno itself has Unix datagram sockets, with the flag `--unstable-net`. They are of no use here: one that waits for a datagram
 * cannot send meanwhile (2.9.5: "Socket already in use"), nor one that waits to send receive, so that two of them could block each other for
 * ever.
 */
export const denoNetwork: Network = { ...nodeNetwork, connect, listen, openDatagram };

/**
 * Deno 2.9.5 gives back the port of a socket that was closed only some turns of the host later: mostly one or two, more on a busy
 * machine. So often it is tried again, at least a millisecond later each time, before somebody is told that it is taken.
 */
const RELEASE_RETRIES = 25;

function openDatagram(
  target: DatagramTarget,
  receiver: DatagramReceiver,
  completion: Completion<DatagramHandle>,
): Withdraw {
  // Deno 2.9.5 ignores the option: the second socket gets EADDRINUSE.
  if (target.reusePort) throw cannot("UDP with reusePort");
  const refined: Completion<DatagramHandle> = {
    fail: (error) => completion.fail(error),
    succeed(handle) {
      if (target.family === 6) refuseHopLimits(handle);
      completion.succeed(handle);
    },
  };
  return openFree(target, receiver, refined, RELEASE_RETRIES);
}

/** Deno 2.9.5 sets the option of IPv4 instead, to which nothing listens: Python sees hop limits of 64 and 1 all the same. */
function refuseHopLimits(handle: DatagramHandle): void {
  const setOption = handle.setOption.bind(handle);
  handle.setOption = (option) => {
    if (option.name === "timeToLive" || option.name === "multicastTimeToLive")
      throw cannot(`set the option ${option.name} of a socket of IPv6`);
    setOption(option);
  };
}

function cannot(operation: string): NotSupportedError {
  return new NotSupportedError(
    `${operation}: the backend "deno" cannot do this; docs/gaps.md lists which can`,
  );
}

/** Tries again while the port is taken. */
function openFree(
  target: DatagramTarget,
  receiver: DatagramReceiver,
  completion: Completion<DatagramHandle>,
  retries: number,
): Withdraw {
  if (target.port === 0 || retries === 0)
    return nodeNetwork.openDatagram(target, receiver, completion);
  let withdraw = nodeNetwork.openDatagram(target, receiver, {
    succeed: (handle) => completion.succeed(handle),
    fail(error) {
      if (!(error instanceof SystemError && error.systemCode === "EADDRINUSE")) {
        completion.fail(error);
        return;
      }
      const timer = setTimeout(() => {
        withdraw = openFree(target, receiver, completion, retries - 1);
      }, 1);
      withdraw = () => clearTimeout(timer);
    },
  });
  return () => withdraw();
}
