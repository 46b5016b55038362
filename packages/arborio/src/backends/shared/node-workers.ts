import type { Threads } from "../../platform/threads.ts";
import { nodeThreads } from "./node-threads.ts";
import {
  NODE_WORKER_PROCESSES,
  startWorkerProcess,
  type WorkerProcessParts,
} from "./node-worker-process.ts";
import { processParent } from "./node-worker-process-parent.ts";

/** Workers of both kinds. */
export function createWorkers(parts: WorkerProcessParts): Threads {
  return {
    get parallelism() {
      return nodeThreads.parallelism;
    },
    get parent() {
      return nodeThreads.parent ?? processParent(parts.codec);
    },
    start(target, listener) {
      if (target.kind === "thread") return nodeThreads.start(target, listener);
      return startWorkerProcess(target, listener, parts);
    },
    createPortPair: () => nodeThreads.createPortPair(),
    receiveNowait: (port) => nodeThreads.receiveNowait(port),
    adoptPort: (port) => nodeThreads.adoptPort(port),
  };
}

export const nodeWorkers: Threads = createWorkers(NODE_WORKER_PROCESSES);
