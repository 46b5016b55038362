/**
 * What a supervisor and its workers tell each other: lines, over a Unix socket that the worker connects to. Not over its standard streams,
 * which are the handler's. A worker whose supervisor is gone, however that ended, reads the end, and finishes as if it had been asked to.
 */
import type { Listening } from "./listening.ts";

/** The variable that makes `arborio serve` a worker: a `WorkerCall`, as JSON. */
export const WORKER_VARIABLE = "ARBORIO_SERVE_WORKER";

/** What a worker has to know that is not on its command line. */
export interface WorkerCall {
  /** Path of the supervisor's socket. */
  readonly socket: string;
  /** The port to listen on; `null`: as the command line says. */
  readonly port: number | null;
}

/** From the supervisor: finish your requests, and end. */
export const DRAIN = "drain";

/** From the worker: it listens. */
export function formatListening(listening: Listening): string {
  return JSON.stringify(listening);
}

/** What `formatListening` wrote. */
export function parseListening(line: string): Listening {
  return JSON.parse(line) as Listening;
}
