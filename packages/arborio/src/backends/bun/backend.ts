import type { Backend } from "../../platform/backend.ts";
import { bunNetwork } from "./network.ts";
import { nodeTls } from "../shared/node-tls.ts";
import { HostClock } from "../shared/clock.ts";
import { hostEntropy } from "../shared/entropy.ts";
import { nodeCompression } from "../shared/node-compression.ts";
import { nodeDigests } from "../shared/node-digest.ts";
import { createFiles } from "../shared/node-files.ts";
import { nodeSignals } from "../shared/node-signals.ts";
import { nodeStandardStreams } from "../shared/node-stdio.ts";
import { watchExitEvent } from "../shared/left-processes.ts";
import { bunProcess } from "./process.ts";
import { bunProcesses } from "./processes.ts";
import { watchDirectory } from "./watch.ts";
import { bunWorkerProcesses } from "./worker-processes.ts";
import { createWorkers } from "../shared/node-workers.ts";

/** The backend of Bun. */
export const bunBackend: Backend = {
  name: "bun",
  clock: new HostClock(),
  entropy: hostEntropy,
  process: bunProcess,
  network: bunNetwork,
  tls: nodeTls,
  files: createFiles(watchExitEvent, watchDirectory),
  compression: nodeCompression,
  digests: nodeDigests,
  processes: bunProcesses,
  threads: createWorkers(bunWorkerProcesses),
  signals: nodeSignals,
  standardStreams: nodeStandardStreams,
};
