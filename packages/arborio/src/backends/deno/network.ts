import { NotSupportedError } from "../../core/errors.ts";
import type { Network } from "../../platform/network.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { openUnixDatagram } from "./unix-datagram.ts";

/** The network of Deno: that of its `node:` modules, less what those only pretend to do, and with what Deno itself has more. */
export const denoNetwork: Network = {
  ...nodeNetwork,
  openUnixDatagram,
  openDatagram(target, receiver, completion) {
    if (target.reusePort) {
      // Deno 2.9.5 ignores the option: the second socket gets EADDRINUSE.
      throw new NotSupportedError(
        'UDP with reusePort: the backend "deno" cannot do this; docs/gaps.md lists which can',
      );
    }
    return nodeNetwork.openDatagram(target, receiver, completion);
  },
};
