import type { Backend } from "../../platform/backend.ts";
import { nodeTls } from "../shared/node-tls.ts";
import { HostClock } from "../shared/clock.ts";
import { hostEntropy } from "../shared/entropy.ts";
import { nodeDigests } from "../shared/node-digest.ts";
import { createFiles } from "../shared/node-files.ts";
import { nodeSignals } from "../shared/node-signals.ts";
import { denoStandardStreams } from "./standard-streams.ts";
import { denoNetwork } from "./network.ts";
import { denoCompression } from "./compression.ts";
import { denoProcess } from "./process.ts";
import { denoProcesses, watchDenoEnd } from "./processes.ts";
import { denoPathWays } from "./path-ways.ts";
import { watchDirectory } from "./watch.ts";
import { denoWorkerProcesses } from "./worker-processes.ts";
import { createWorkers } from "../shared/node-workers.ts";

/** The backend of Deno. */
export const denoBackend: Backend = {
  name: "deno",
  clock: new HostClock(),
  entropy: hostEntropy,
  process: denoProcess,
  network: denoNetwork,
  tls: nodeTls,
  files: createFiles(watchDenoEnd, watchDirectory, denoPathWays),
  compression: denoCompression,
  digests: nodeDigests,
  processes: denoProcesses,
  threads: createWorkers(denoWorkerProcesses),
  signals: nodeSignals,
  standardStreams: denoStandardStreams,
};
