/** Processes through `node:child_process`. */
import type { ChildProcess, StdioOptions } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import type { Completion, Withdraw } from "../../platform/network.ts";
import type {
  ProcessCommand,
  ProcessExit,
  ProcessHandle,
  Processes,
} from "../../platform/processes.ts";
import type { Wire } from "../../platform/wire.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import {
  forget,
  headHasEnded,
  keepFromLeaving,
  type LeftProcess,
  startWatched,
  type WatchEnd,
  watchExitEvent,
} from "./left-processes.ts";
import { InputPipe, OutputPipe } from "./pipe-wires.ts";
import { hasLivingMember, hasMember, requireSignal, sendSignal } from "./process-groups.ts";
import { startError } from "./start-error.ts";

const childProcess = lazily("node:child_process");

/** In what the runtimes differ. */
export interface ProcessParts {
  /** A wire over the standard input of a process. */
  readonly openInput: (stream: Writable) => Wire;
  /** How this process learns that it ends. */
  readonly watchEnd: WatchEnd;
}

const NODE_PARTS: ProcessParts = {
  openInput: (stream) => new InputPipe(stream),
  watchEnd: watchExitEvent,
};

/** Processes through `node:child_process`, with what is the runtime's own. */
export function createProcesses(parts: Partial<ProcessParts> = {}): Processes {
  const all = { ...NODE_PARTS, ...parts };
  return { start: (command, completion) => start(command, all, completion) };
}

export const nodeProcesses: Processes = createProcesses();

function start(
  command: ProcessCommand,
  parts: ProcessParts,
  completion: Completion<ProcessHandle>,
): Withdraw {
  let withdrawn = false;
  let handle: NodeProcess | null = null;
  const fail = (error: unknown): void => {
    if (!withdrawn) completion.fail(startError(command, error));
  };
  try {
    handle = startWatched(parts.watchEnd, () => {
      const child = outsideContext(() => spawn(command));
      // It comes for a process that could not be started, and only then: signals are sent by other means.
      child.on("error", fail);
      return child.pid === undefined ? null : new NodeProcess(child, child.pid, command, parts);
    });
  } catch (error) {
    queueMicrotask(() => fail(error));
  }
  if (handle !== null) {
    const started = handle;
    queueMicrotask(() => {
      if (!withdrawn) completion.succeed(started);
    });
  }
  return () => {
    withdrawn = true;
    handle?.abandon();
  };
}

function spawn(command: ProcessCommand): ChildProcess {
  const { program, args, cwd, env, clearEnv, ownGroup, stdin, stdout, stderr } = command;
  const isInherited = !clearEnv && Object.keys(env).length === 0;
  return childProcess().spawn(program, [...args], {
    detached: ownGroup,
    stdio: [stdin, stdout, stderr] as StdioOptions,
    ...(cwd === undefined ? {} : { cwd }),
    ...(isInherited ? {} : { env: clearEnv ? env : { ...process.env, ...env } }),
  });
}

/** So often a group is believed to be alive before anybody looks closely: mostly the system just needs a moment to clean up. */
const CHEAP_LOOKS = 5;

class NodeProcess implements ProcessHandle, LeftProcess {
  readonly pid: number;
  readonly stdin: Wire | null;
  readonly stdout: Wire | null;
  readonly stderr: Wire | null;
  readonly #ownGroup: boolean;
  #exit: ProcessExit | null = null;
  /** Seen once, it stays so: the number may be another's later. */
  #isGone = false;
  /** How often others of its group were found after its end. */
  #looks = 0;
  #told: ((exit: ProcessExit) => void) | null = null;

  constructor(child: ChildProcess, pid: number, command: ProcessCommand, parts: ProcessParts) {
    this.pid = pid;
    this.#ownGroup = command.ownGroup;
    const { stdin, stdout, stderr } = child;
    this.stdin = stdin === null ? null : parts.openInput(stdin);
    this.stdout = outputOf(stdout);
    this.stderr = outputOf(stderr);
    keepFromLeaving(this);
    child.on("exit", (code, signal) => this.#ended(code, signal));
  }

  #ended(code: number | null, signal: string | null): void {
    this.#exit = signal === null ? { code: code ?? 0 } : { signal };
    headHasEnded(this);
    this.#told?.(this.#exit);
  }

  onExit(told: (exit: ProcessExit) => void): void {
    this.#told = told;
    const exit = this.#exit;
    if (exit !== null) queueMicrotask(() => told(exit));
  }

  signal(name: string, to: "process" | "group"): void {
    requireSignal(name);
    if (to === "group" && this.#ownGroup) {
      if (!this.#isGone) sendSignal(-this.pid, name);
    } else if (this.#exit === null) {
      sendSignal(this.pid, name);
    }
  }

  isGroupAlive(): boolean {
    if (this.#exit === null) return true;
    if (!this.#isGone && !this.#hasOthers()) {
      this.#isGone = true;
      forget(this);
    }
    return !this.#isGone;
  }

  #hasOthers(): boolean {
    if (!this.#ownGroup || !hasMember(this.pid)) return false;
    this.#looks += 1;
    return this.#looks < CHEAP_LOOKS || hasLivingMember(this.pid);
  }

  isAlive(): boolean {
    return this.isGroupAlive();
  }

  killNow(): void {
    this.signal("SIGKILL", "group");
  }

  /** Nobody will own it. */
  abandon(): void {
    this.killNow();
    for (const wire of [this.stdin, this.stdout, this.stderr]) wire?.close(true);
  }
}

function outputOf(stream: Readable | null): Wire | null {
  return stream === null ? null : new OutputPipe(stream);
}
