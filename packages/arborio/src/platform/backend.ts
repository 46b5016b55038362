import type { Clock } from "../core/clock.ts";
import type { TaskHandle } from "../core/task.ts";
import type { Compression } from "./compression.ts";
import type { Digests } from "./digest.ts";
import type { Files } from "./files.ts";
import type { Network } from "./network.ts";
import type { Processes } from "./processes.ts";
import type { Signals } from "./signals.ts";
import type { StandardStreams } from "./standard-streams.ts";
import type { Threads } from "./threads.ts";
import type { Tls } from "./tls.ts";

/** What a backend must give. What a runtime lacks is missing, and the function above it throws `NotSupportedError`. */
export interface Backend {
  /** `"node"`, `"bun"`, `"deno"`, `"simulator"`: for messages. */
  readonly name: string;
  /** Makes the clock of the backend. Called once for a host, once for each run of a simulator. */
  readonly clock: Clock;
  /** Where chance comes from. */
  readonly entropy: Entropy;
  /** The process around a run; absent where there is none. */
  readonly process?: HostProcess;
  /** Sockets and names. */
  readonly network?: Network;
  /** TLS over any wire. */
  readonly tls?: Tls;
  /** Files and directories. */
  readonly files?: Files;
  /** Other programs. */
  readonly processes?: Processes;
  /** Threads and processes that run modules of this program. */
  readonly threads?: Threads;
  /** Signals to the process. */
  readonly signals?: Signals;
  /** Standard input, output and error. */
  readonly standardStreams?: StandardStreams;
  /** Compressors and decompressors. */
  readonly compression?: Compression;
  /** Digests of bytes. */
  readonly digests?: Digests;
  /** Set if the backend chooses which of several ready tasks goes on (a simulator). */
  readonly scheduler?: Scheduler;
}

/** Source of randomness. */
export interface Entropy {
  /** A number in [0, 1). */
  random(): number;
  /** Fills all of `view` with random bytes that nobody can guess; in a simulator, with the seed's. */
  fill(view: Uint8Array): void;
}

/** Chooses the order in which ready tasks go on. */
export interface Scheduler {
  /** The index, from 0 to `count` − 1, of the one to go on next. */
  choose(count: number): number;
  /** Calls `stuck` each time that nothing is ready and no timer is set, until the returned function is called. */
  onStuck(stuck: () => void): () => void;
  /** Says what each task below `root` waits for; `undefined` if one of them may still be woken from outside. */
  describeDeadlock(root: TaskHandle): string | undefined;
}

/** What `run` needs of the process it is in. */
export interface HostProcess {
  /** Keeps the process alive until the returned function is called. */
  keepAlive(): () => void;
  /** Lets `drop` decide which unhandled rejections do not count; the others stay the host's. Until the returned function is called. */
  filterUnhandledRejections(drop: (reason: unknown) => boolean): () => void;
  /** If `error` goes unhandled soon, the process ends with `code`, quietly. */
  exitQuietlyIfUnhandled(error: unknown, code: number): void;
  /** Tells a developer something. */
  warn(message: string): void;
}
