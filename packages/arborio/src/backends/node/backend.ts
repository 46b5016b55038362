import type { Backend } from "../../platform/backend.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { HostClock } from "../shared/clock.ts";
import { nodeProcess } from "./process.ts";

/** The backend of Node; it also works on Bun and Deno, through their `node:` modules. */
export const nodeBackend: Backend = {
  name: "node",
  clock: new HostClock(),
  entropy: { random: () => Math.random() },
  process: nodeProcess,
  network: nodeNetwork,
};
