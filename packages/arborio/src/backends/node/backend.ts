import type { Backend } from "../../platform/backend.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { nodeTls } from "../shared/node-tls.ts";
import { HostClock } from "../shared/clock.ts";
import { hostEntropy } from "../shared/entropy.ts";
import { nodeCompression } from "../shared/node-compression.ts";
import { nodeDigests } from "../shared/node-digest.ts";
import { nodeFiles } from "../shared/node-files.ts";
import { nodeProcesses } from "../shared/node-processes.ts";
import { nodeSignals } from "../shared/node-signals.ts";
import { nodeStandardStreams } from "../shared/node-stdio.ts";
import { nodeWorkers } from "../shared/node-workers.ts";
import { nodeProcess } from "./process.ts";

/** The backend of Node; it also works on Bun and Deno, through their `node:` modules. */
export const nodeBackend: Backend = {
  name: "node",
  clock: new HostClock(),
  entropy: hostEntropy,
  process: nodeProcess,
  network: nodeNetwork,
  tls: nodeTls,
  files: nodeFiles,
  compression: nodeCompression,
  digests: nodeDigests,
  processes: nodeProcesses,
  threads: nodeWorkers,
  signals: nodeSignals,
  standardStreams: nodeStandardStreams,
};
