/**
 * A process that was started, and how it is ended.
 *
 * Ending is the hard part, and it is here alone: ask the whole group, wait, kill the whole group, reap. It is not a cancellation
 * point, and it is bounded by the grace time, so that a cancelled scope never waits longer than that and never leaves a process.
 */
import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireKnown, requireOptions } from "../core/arguments.ts";
import { InvalidStateError } from "../core/errors.ts";
import { taskGroup } from "../core/task-group.ts";
import type { ProcessExit, ProcessHandle } from "../platform/processes.ts";
import type { Wire } from "../platform/wire.ts";
import type { ByteReceiveStream, ByteSendStream } from "../streams/byte-stream.ts";
import { WireStream } from "../streams/wire-stream.ts";
import { outsideScopes } from "../sync/outside.ts";
import { ParkingLot } from "../sync/parking-lot.ts";
import { shielded } from "../sync/shield.ts";
import { moveOnAfter, sleep } from "../sync/timeouts.ts";
import { type Command, requireGrace } from "./command.ts";

/** Options of `ChildProcess.stop`. */
export interface StopOptions {
  /** Milliseconds between SIGTERM and SIGKILL; `Infinity`: it is never killed. Default: what the process was opened with. */
  readonly graceMs?: number;
}

/**
 * Longest time between two looks whether the group of a process that has ended is empty, in milliseconds: the system tells nobody when the
 * last one of a group goes. The first looks come sooner.
 */
const LOOK_MS_MAX = 50;

/**
 * So long it may take until those are gone that were killed, in milliseconds. The process itself is waited for without limit; others of
 * its group may be held in the kernel, by a disk that does not answer.
 */
const KILLED_MS_MAX = 1000;

/**
 * A process that `openProcess` has started. Close it, best by `await using`: that ends it with all that it has started.
 *
 * Its standard streams are byte streams of this library, one for each that was opened as `"pipe"`.
 */
export class ChildProcess implements AsyncDisposable {
  /** Its number in the system. */
  readonly pid: number;
  /** What was started. */
  readonly command: Command;
  readonly #handle: ProcessHandle;
  readonly #graceMs: number;
  readonly #stdin: WireStream | null;
  readonly #stdout: WireStream | null;
  readonly #stderr: WireStream | null;
  readonly #ended: ParkingLot = new ParkingLot("process.wait", this);
  #exit: ProcessExit | undefined;

  /** @internal */
  constructor(command: Command, handle: ProcessHandle, graceMs: number) {
    this.pid = handle.pid;
    this.command = command;
    this.#handle = handle;
    this.#graceMs = graceMs;
    this.#stdin = streamOver(handle.stdin, "process.stdin");
    this.#stdout = streamOver(handle.stdout, "process.stdout");
    this.#stderr = streamOver(handle.stderr, "process.stderr");
    handle.onExit((exit) => {
      this.#exit = Object.freeze(exit);
      this.#ended.unparkAll();
    });
  }

  /**
   * To its standard input. Close it when there is nothing more: then the process reads the end. A process that reads no more makes
   * `send` throw `BrokenResourceError`.
   *
   * @throws InvalidStateError if it was not opened as `"pipe"`.
   */
  get stdin(): ByteSendStream {
    return this.#stdin ?? noPipe("stdin");
  }

  /**
   * From its standard output. Read it: a process whose output nobody reads stands still when the pipe is full.
   *
   * @throws InvalidStateError if it was not opened as `"pipe"`.
   */
  get stdout(): ByteReceiveStream {
    return this.#stdout ?? noPipe("stdout");
  }

  /**
   * From its standard error; likewise.
   *
   * @throws InvalidStateError if it was not opened as `"pipe"`.
   */
  get stderr(): ByteReceiveStream {
    return this.#stderr ?? noPipe("stderr");
  }

  /** How it ended; `undefined` while it runs. */
  get exit(): ProcessExit | undefined {
    return this.#exit;
  }

  /**
   * Waits until the process has ended; a checkpoint if it has. Several tasks may wait. What it has started, and who else holds its pipes,
   * is not waited for. Cancelled, it no longer waits; the process is as it was.
   *
   * @returns its exit code, or the signal that ended it.
   */
  async wait(): Promise<ProcessExit> {
    if (this.#exit === undefined) await this.#ended.park();
    else await checkpointHere();
    return this.#exit as ProcessExit;
  }

  /**
   * Sends a signal to the process alone. Without effect if it has ended.
   *
   * @param name such as `"SIGHUP"`.
   * @throws RangeError if there is no such signal here.
   */
  sendSignal(name: string): void {
    if (typeof name !== "string")
      throw new TypeError(`sendSignal: got ${describeValue(name)}, needs a name such as "SIGHUP"`);
    this.#handle.signal(name, "process");
  }

  /** Asks the process and its whole group to end (SIGTERM), and does not wait. `stop` does, and kills in the end. */
  terminate(): void {
    this.#handle.signal("SIGTERM", "group");
  }

  /** Kills the process and its whole group (SIGKILL), and does not wait; `wait` does. */
  kill(): void {
    this.#handle.signal("SIGKILL", "group");
  }

  /**
   * Ends the process with its whole group: closes its standard input, asks them (SIGTERM), waits until all are gone, kills (SIGKILL)
   * who is still there after the grace time, and reaps. If the process has ended already, it does that with what is left of its group.
   *
   * No cancellation point: cleaning up takes at most the grace time, and is done when it returns.
   * Its output stays open, so that what it has said at last can be read. Somebody has to read it meanwhile if it is much.
   *
   * @returns how the process ended.
   * @throws TypeError, RangeError if `graceMs` is no time, or an option has another name.
   *
   * @example A second to tidy up
   * ```ts
   * import { run } from "arborio";
   * import { openProcess } from "arborio/process";
   *
   * await run(async () => {
   *   await using process = await openProcess(["sleep", "1000"]);
   *   const exit = await process.stop({ graceMs: 1000 });
   *   console.assert(exit.signal === "SIGTERM");
   * });
   * ```
   */
  async stop(options: StopOptions = {}): Promise<ProcessExit> {
    requireOptions("stop(options)", options, "{ graceMs: 1000 }");
    requireKnown("stop", options, { graceMs: true });
    const { graceMs = this.#graceMs } = options;
    requireGrace("stop({ graceMs })", graceMs);
    await this.#end(graceMs);
    return this.#exit as ProcessExit;
  }

  /** `stop`, for `await using`; what comes out meanwhile is dropped, and its streams are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#isLeft) await this.#endDropping();
    } finally {
      this.#stdin?.close();
      this.#stdout?.close();
      this.#stderr?.close();
    }
  }

  get #isLeft(): boolean {
    return this.#exit === undefined || this.#handle.isGroupAlive();
  }

  /** So that it can write its last words although nobody reads any more. */
  #endDropping(): Promise<void> {
    return unhindered(() =>
      taskGroup(async (group) => {
        for (const output of [this.#stdout, this.#stderr])
          if (output !== null) group.startSoon(() => drop(output), { daemon: true });
        await this.#end(this.#graceMs);
      }),
    );
  }

  async #end(graceMs: number): Promise<void> {
    this.#stdin?.close();
    if (!this.#isLeft) return;
    this.terminate();
    // Who is stopped gets the other signal only when it goes on.
    this.#handle.signal("SIGCONT", "group");
    try {
      await unhindered(() => moveOnAfter(graceMs, () => this.#untilGone()));
    } finally {
      if (this.#isLeft) this.kill();
    }
    await unhindered(async () => {
      if (this.#exit === undefined) await this.wait();
      await moveOnAfter(KILLED_MS_MAX, () => this.#untilGone());
    });
  }

  async #untilGone(): Promise<void> {
    if (this.#exit === undefined) await this.wait();
    for (let ms = 1; this.#handle.isGroupAlive(); ms = Math.min(ms * 2, LOOK_MS_MAX))
      await sleep(ms);
  }
}

/** Works in any context, and nothing around cancels it; only the end of the run itself does. */
function unhindered<T>(fn: () => Promise<T>): Promise<T> {
  return outsideScopes(() => shielded(fn));
}

function streamOver(wire: Wire | null, name: string): WireStream | null {
  return wire === null ? null : new WireStream(wire, name);
}

function noPipe(name: string): never {
  throw new InvalidStateError(
    `process.${name}: it is no pipe; open the process with { ${name}: "pipe" } to have its stream`,
  );
}

function checkpointHere(): Promise<void> {
  const scope = ambientScope();
  const refusal = scope.refuse();
  return refusal === null ? scope.kernel.readyNow() : scope.kernel.rejected(refusal);
}

/** Reads to the end, if nobody else does. */
async function drop(output: WireStream): Promise<void> {
  try {
    for await (const _chunk of output);
  } catch {
    // Another task reads it, or it is closed or broken: then nothing has to be dropped.
  }
}
