import type { Backend } from "../../platform/backend.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { HostClock } from "../shared/clock.ts";
import { bunProcess } from "./process.ts";

/** The backend of Bun. */
export const bunBackend: Backend = {
  name: "bun",
  clock: new HostClock(),
  entropy: { random: () => Math.random() },
  process: bunProcess,
  network: nodeNetwork,
};
