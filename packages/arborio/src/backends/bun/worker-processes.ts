import { deserialize, serialize } from "node:v8";
import { NODE_WORKER_PROCESSES, type WorkerProcessParts } from "../shared/node-worker-process.ts";

/** As on Node, but with JavaScriptCore's serializer, which is all that `node:v8` has here. */
export const bunWorkerProcesses: WorkerProcessParts = {
  ...NODE_WORKER_PROCESSES,
  codec: { encode: serialize, decode: deserialize },
};
