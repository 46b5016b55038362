import type { Backend } from "../platform/backend.ts";
import { hostBackend } from "../platform/host.ts";
import { bridgeCompression } from "./codec-bridge.ts";
import type { HostBridge } from "./host-bridge.ts";
import { bridgeTls } from "./tls-bridge.ts";

/** What simulated hosts have of the host's runtime, since it depends on nothing but its input: as far as the runtime has it. */
export function bridgeHost(bridge: HostBridge): Partial<Backend> {
  const { tls, compression, digests } = hostBackend;
  return {
    ...(tls === undefined ? {} : { tls: bridgeTls(tls, bridge) }),
    ...(compression === undefined ? {} : { compression: bridgeCompression(compression, bridge) }),
    ...(digests === undefined ? {} : { digests }),
  };
}
