import type { Backend } from "../../platform/backend.ts";
import { nodeTls } from "../shared/node-tls.ts";
import { HostClock } from "../shared/clock.ts";
import { hostEntropy } from "../shared/entropy.ts";
import { nodeSignals } from "../shared/node-signals.ts";
import { denoNetwork } from "./network.ts";
import { denoProcess } from "./process.ts";

/** The backend of Deno. */
export const denoBackend: Backend = {
  name: "deno",
  clock: new HostClock(),
  entropy: hostEntropy,
  process: denoProcess,
  network: denoNetwork,
  tls: nodeTls,
  signals: nodeSignals,
};
