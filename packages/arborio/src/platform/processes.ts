import type { Completion, Withdraw } from "./network.ts";
import type { Wire } from "./wire.ts";

/** Other programs, started as processes of their own. */
export interface Processes {
  /**
   * Starts a program; succeeds when it runs. Fails with a `SystemError` if the system refuses. Withdrawn, a process that was started
   * nevertheless is killed, with its group.
   */
  start(command: ProcessCommand, completion: Completion<ProcessHandle>): Withdraw;
}

/** What to start, and how. Everything is checked already. */
export interface ProcessCommand {
  /** Name of the program, to be found by `PATH`, or its path. */
  readonly program: string;
  /** Without the program itself. */
  readonly args: readonly string[];
  /** The working directory; `undefined`: that of this process. */
  readonly cwd: string | undefined;
  /** What the environment has beside the inherited one; `undefined` takes a variable out. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Nothing is inherited: `env` is the whole environment. */
  readonly clearEnv: boolean;
  /** It leads a process group of its own; else it is in that of this process. */
  readonly ownGroup: boolean;
  /** Where its standard input comes from. */
  readonly stdin: StreamTarget;
  /** Where its standard output goes. */
  readonly stdout: StreamTarget;
  /** Where its standard error goes. */
  readonly stderr: StreamTarget;
}

/**
 * What a standard stream of a process is: a pipe to this one, that of this process, nothing (`/dev/null`), or what is open under a
 * descriptor of this process.
 */
export type StreamTarget = "pipe" | "inherit" | "ignore" | number;

/**
 * A process that was started. Until it has ended, and no process of its group is left, it does not outlive this process: if that ends
 * in any way that a program can notice, the group is killed.
 */
export interface ProcessHandle {
  /** Its number. */
  readonly pid: number;
  /** To its standard input; `null` if that is no pipe. Nothing is ever received on it. */
  readonly stdin: Wire | null;
  /** From its standard output; `null` if that is no pipe. Nothing can be written to it. */
  readonly stdout: Wire | null;
  /** From its standard error; likewise. */
  readonly stderr: Wire | null;
  /** Calls `told` once the process has ended; pipes may still hold bytes then. Called once. */
  onExit(told: (exit: ProcessExit) => void): void;
  /**
   * Sends a signal to the process alone, or to its whole group. A process without a group of its own stands for its group. Without
   * effect if nobody is left.
   *
   * @throws RangeError if there is no such signal here.
   */
  signal(name: string, to: "process" | "group"): void;
  /** Whether a process of its group, itself included, still runs. Without a group of its own: whether it does itself. */
  isGroupAlive(): boolean;
}

/** How a process ended: by itself, with an exit code, or by a signal. Exactly one of the two is there. */
export type ProcessExit =
  | { readonly code: number; readonly signal?: undefined }
  | { readonly code?: undefined; readonly signal: string };
