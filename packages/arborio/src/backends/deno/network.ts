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
import { openUnixDatagram } from "./unix-datagram.ts";

/** The network of Deno: that of its `node:` modules, less what those only pretend to do, and with what Deno itself has more. */
export const denoNetwork: Network = { ...nodeNetwork, openDatagram, openUnixDatagram };

/** Deno 2.9.5 gives back the port of a socket that was closed only after so many turns of the host: one or two; one more to be sure. */
const RELEASE_TURNS = 3;

function openDatagram(
  target: DatagramTarget,
  receiver: DatagramReceiver,
  completion: Completion<DatagramHandle>,
): Withdraw {
  if (target.reusePort) {
    // Deno 2.9.5 ignores the option: the second socket gets EADDRINUSE.
    throw new NotSupportedError(
      'UDP with reusePort: the backend "deno" cannot do this; docs/gaps.md lists which can',
    );
  }
  return openFree(target, receiver, completion, RELEASE_TURNS);
}

/** Tries again, up to `turns` turns of the host later, while the port is taken. */
function openFree(
  target: DatagramTarget,
  receiver: DatagramReceiver,
  completion: Completion<DatagramHandle>,
  turns: number,
): Withdraw {
  if (target.port === 0 || turns === 0)
    return nodeNetwork.openDatagram(target, receiver, completion);
  let withdraw = nodeNetwork.openDatagram(target, receiver, {
    succeed: (handle) => completion.succeed(handle),
    fail(error) {
      if (!(error instanceof SystemError && error.systemCode === "EADDRINUSE")) {
        completion.fail(error);
        return;
      }
      const turn = setImmediate(() => {
        withdraw = openFree(target, receiver, completion, turns - 1);
      });
      withdraw = () => clearImmediate(turn);
    },
  });
  return () => withdraw();
}
