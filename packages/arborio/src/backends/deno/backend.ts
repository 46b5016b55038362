import type { Backend } from "../../platform/backend.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { HostClock } from "../shared/clock.ts";
import { denoProcess } from "./process.ts";

/** The backend of Deno. */
export const denoBackend: Backend = {
  name: "deno",
  clock: new HostClock(),
  entropy: { random: () => Math.random() },
  process: denoProcess,
  network: nodeNetwork,
};
