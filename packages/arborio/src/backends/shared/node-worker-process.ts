/**
 * Workers that are processes: they run a module of this program, on the same runtime, and messages go over the channel that
 * `node:child_process` has for that. Node, Bun and Deno all have it.
 *
 * - A worker leads a process group of its own, which is killed when it ends: nothing that it has started is left.
 * - When this process ends, it kills them (`left-processes.ts`). When it could not, they see their channel closed, and end.
 * - They write to the standard output and error of this process, and have no input.
 */
import type { ChildProcess } from "node:child_process";
import type { SystemError } from "../../core/errors.ts";
import type { WorkerHandle, WorkerListener, WorkerTarget } from "../../platform/threads.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import {
  forget,
  keepFromLeaving,
  type LeftProcess,
  startWatched,
  type WatchEnd,
  watchExitEvent,
} from "./left-processes.ts";
import { type MessageCodec, v8Codec } from "./node-worker-process-codec.ts";
import { nodeWorkerCommand, type WorkerCommand } from "./node-worker-process-command.ts";
import { MarkFile } from "./node-worker-process-mark.ts";
import {
  type FromWorker,
  LAST_WORDS,
  workerArguments,
  type WorkerInput,
} from "./node-worker-process-parent.ts";
import { sendSignal } from "./process-groups.ts";
import { toSystemError } from "./system-error.ts";

const childProcess = lazily("node:child_process");

/**
 * A worker ends, and its channel is closed, in any order; so many milliseconds may be between the two. A process that has closed the
 * channel itself, and runs on, is killed then. And when the last message was cut by the end, Deno does not tell that the channel is
 * closed (seen with 2.9.5).
 */
const END_MS = 500;

/** In what the runtimes differ. */
export interface WorkerProcessParts {
  readonly codec: MessageCodec;
  readonly command: WorkerCommand;
  /** Whether worker and program may use files that they make for themselves. */
  readonly mayUseFiles: () => boolean;
  /** How this process learns that it ends. */
  readonly watchEnd: WatchEnd;
}

/** What Node needs. */
export const NODE_WORKER_PROCESSES: WorkerProcessParts = {
  codec: v8Codec,
  command: nodeWorkerCommand,
  mayUseFiles: () => true,
  watchEnd: watchExitEvent,
};

/** Starts a worker that is a process. Fails by its end, if the system refuses. */
export function startWorkerProcess(
  target: WorkerTarget,
  listener: WorkerListener,
  parts: WorkerProcessParts,
): WorkerHandle {
  return startWatched(parts.watchEnd, () =>
    outsideContext(() => new WorkerProcess(target, listener, parts)),
  );
}

function spawn(program: string, args: readonly string[]): ChildProcess {
  return childProcess().spawn(program, [...args], {
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
}

function startFailed(program: string, error: unknown): SystemError {
  return toSystemError(`start a worker, ${JSON.stringify(program)}`, error);
}

interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

class WorkerProcess implements WorkerHandle, LeftProcess {
  readonly #child: ChildProcess;
  readonly #listener: WorkerListener;
  readonly #codec: MessageCodec;
  readonly #mark: MarkFile | null;
  /** What it threw and nobody caught. */
  #error: unknown;
  #exit: Exit | null = null;
  /** No message comes any more. */
  #disconnected = false;
  #needed = false;
  #timer: NodeJS.Timeout | null = null;
  #told = false;

  constructor(target: WorkerTarget, listener: WorkerListener, parts: WorkerProcessParts) {
    this.#listener = listener;
    this.#codec = parts.codec;
    const [program, ...args] = parts.command(target.module);
    this.#mark = parts.mayUseFiles() ? MarkFile.create() : null;
    const input: WorkerInput = { data: target.data, markPath: this.#mark?.path };
    const own = workerArguments(target.name, parts.codec.encode(input));
    try {
      this.#child = spawn(program, [...args, ...own]);
    } catch (error) {
      this.#mark?.close();
      throw startFailed(program, error);
    }
    const child = this.#child;
    child.on("message", (message: unknown) => {
      // Code that asks whether it has a parent (`process.send`) may tell it something; that is not for us.
      if (message instanceof Uint8Array) this.#received(message);
    });
    child.on("error", (error) => this.#failed(program, error));
    child.on("exit", (code, signal) => this.#exited(code ?? undefined, signal ?? undefined));
    child.on("disconnect", () => this.#closed());
    if (child.pid !== undefined) keepFromLeaving(this);
    this.setNeeded(false);
  }

  post(message: unknown): void {
    const bytes = this.#codec.encode(message);
    // If the channel breaks, so has the worker ended, which is told.
    if (this.#child.connected) this.#child.send(bytes, () => {});
  }

  showMark(mark: number): void {
    this.#mark?.show(mark);
  }

  readMark(): number | undefined {
    return this.#mark?.read();
  }

  terminate(): void {
    this.killNow();
  }

  setNeeded(needed: boolean): void {
    this.#needed = needed;
    const { channel, pid } = this.#child;
    // Deno has nothing to keep alive of one that could not be started.
    if (this.#exit !== null || pid === undefined) return;
    if (needed) {
      this.#child.ref();
      channel?.ref?.();
    } else {
      this.#child.unref();
      channel?.unref?.();
    }
  }

  isAlive(): boolean {
    return this.#exit === null;
  }

  /** Called when this process ends, too: nothing else is called then. */
  killNow(): void {
    const { pid } = this.#child;
    if (this.#exit === null && pid !== undefined) sendSignal(-pid, "SIGKILL");
    this.#mark?.close();
  }

  #received(bytes: Uint8Array): void {
    if (this.#told) return;
    let message: FromWorker;
    try {
      message = this.#codec.decode(bytes) as FromWorker;
    } catch (error) {
      this.#listener.unreadable(error as Error);
      return;
    }
    if (LAST_WORDS in message) this.#error ??= message[LAST_WORDS];
    else this.#listener.message(message.message);
  }

  /** It could not be started. Signals are sent by other means, so the runtime has nothing else to tell here. */
  #failed(program: string, error: Error): void {
    if (this.#child.pid !== undefined) return;
    this.#error = startFailed(program, error);
    this.#disconnected = true;
    this.#exited(undefined, undefined);
  }

  #exited(code: number | undefined, signal: string | undefined): void {
    if (this.#exit !== null) return;
    // Whom it has started, and left.
    this.killNow();
    this.#exit = { code, signal };
    forget(this);
    this.#tellEndSoon();
  }

  #closed(): void {
    this.#disconnected = true;
    this.#tellEndSoon();
  }

  #tellEndSoon(): void {
    if (this.#exit !== null && this.#disconnected) {
      this.#tellEnd(this.#exit);
    } else {
      this.#timer ??= setTimeout(() => {
        if (this.#exit === null) this.killNow();
        else this.#tellEnd(this.#exit);
      }, END_MS);
      if (!this.#needed) this.#timer.unref();
    }
  }

  #tellEnd(exit: Exit): void {
    if (this.#told) return;
    this.#told = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#mark?.close();
    this.#listener.ended({ ...exit, error: this.#error });
  }
}
