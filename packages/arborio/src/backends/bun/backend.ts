import type { Backend } from "../../platform/backend.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { nodeTls } from "../shared/node-tls.ts";
import { HostClock } from "../shared/clock.ts";
import { hostEntropy } from "../shared/entropy.ts";
import { nodeSignals } from "../shared/node-signals.ts";
import { bunProcess } from "./process.ts";

/** The backend of Bun. */
export const bunBackend: Backend = {
  name: "bun",
  clock: new HostClock(),
  entropy: hostEntropy,
  process: bunProcess,
  network: nodeNetwork,
  tls: nodeTls,
  signals: nodeSignals,
};
