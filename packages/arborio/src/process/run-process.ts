import { describeValue, requireCount, requireFlag, requireOptions } from "../core/arguments.ts";
import { isCancelled } from "../core/cancelled.ts";
import { BrokenResourceError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import type { ProcessExit, StreamTarget } from "../platform/processes.ts";
import type { ByteReceiveStream, ByteSendStream } from "../streams/byte-stream.ts";
import { abandonOnCancel } from "../sync/abandon-on-cancel.ts";
import { Event } from "../sync/event.ts";
import { moveOnAfter } from "../sync/timeouts.ts";
import type { ChildProcess } from "./child-process.ts";
import type { Command, ProcessOptions } from "./command.ts";
import { OutputLimitError, ProcessFailedError } from "./errors.ts";
import { start } from "./open-process.ts";
import { ProcessResult } from "./process-result.ts";

/** What a process may be given to read. Text goes out in UTF-8. */
export type ProcessInput = string | Uint8Array | AsyncIterable<Uint8Array>;

/** Options of `runProcess`. */
export interface RunProcessOptions extends ProcessOptions {
  /** What it reads from standard input. Default: nothing. Not together with `stdin`. */
  readonly input?: ProcessInput;
  /** Where its standard input comes from instead. Default `"ignore"`: it has ended at once. */
  readonly stdin?: Exclude<StreamTarget, "pipe">;
  /** Where its standard output goes. Default `"pipe"`: into the result. */
  readonly stdout?: StreamTarget;
  /** Where its standard error goes. Default `"pipe"`: into the result. */
  readonly stderr?: StreamTarget;
  /** Whether any end but exit code 0 is an error. Default `true`. */
  readonly check?: boolean;
  /** So many bytes it may write, to each of both streams. Default 16 MiB. `Infinity`: as many as there is memory for. */
  readonly outputBytesMax?: number;
}

/** Those that only `runProcess` has. */
const OTHER_NAMES: Readonly<Record<string, true>> = {
  input: true,
  check: true,
  outputBytesMax: true,
};

/** Far more than programs say that are run for an answer; not so much that one gone wild fills the memory. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * After the process itself has ended, so long a silence counts as the end of its output, in milliseconds: what it has left running may
 * hold the pipes for ever.
 */
const SILENCE_MS = 1000;

/**
 * Runs a program to its end, and collects what it writes.
 *
 * Cancelled, by a timeout too, or failed, nothing is left: the process and all that it has started are asked to end, killed after
 * `graceMs`, and reaped. The same happens to what it has left running when it has ended itself.
 *
 * A program that does not read all of its input, or nothing, is no error.
 * Once the process itself has ended, its output is complete when it ends, or when nothing has come for a second.
 *
 * @param command the program, by its name or path, and its arguments. No shell is in between; `shellCommand` is for those who want one.
 * @returns how it ended, and what it wrote.
 * @throws ProcessFailedError if it ended with another exit code than 0, or by a signal, unless `check` is `false`.
 * @throws OutputLimitError if it wrote more than `outputBytesMax`.
 * @throws SystemError if it cannot be started; see `openProcess`.
 * @throws TypeError, RangeError for a wrong command or option.
 * @throws NotSupportedError if the backend has no processes.
 * @throws whatever `input` throws, if it is an iterable.
 *
 * Counterpart: `anyio.run_process`, `trio.run_process`, `subprocess.run`.
 *
 * @example What a program says
 * ```ts
 * import { failAfter, run } from "arborio";
 * import { runProcess } from "arborio/process";
 *
 * await run(async () => {
 *   const { stdoutText } = await failAfter(5000, () => runProcess(["sort"], { input: "b\na\n" }));
 *   console.assert(stdoutText === "a\nb\n");
 * });
 * ```
 */
export async function runProcess(
  command: Command,
  options: RunProcessOptions = {},
): Promise<ProcessResult> {
  requireOptions("runProcess(command, options)", options, '{ input: "text" }');
  const { input, check = true, outputBytesMax = OUTPUT_BYTES_MAX } = options;
  const { stdin = "ignore", stdout = "pipe", stderr = "pipe" } = options;
  requireFlag("runProcess({ check })", check);
  requireCount("runProcess({ outputBytesMax })", outputBytesMax, 0);
  requireInput(input, options.stdin);
  const streams = { stdin: input === undefined ? stdin : "pipe", stdout, stderr } as const;
  const process = await start("runProcess", command, options, streams, OTHER_NAMES);
  let result: ProcessResult;
  try {
    const outputs = [
      new Collector(process, "stdout", stdout === "pipe", outputBytesMax),
      new Collector(process, "stderr", stderr === "pipe", outputBytesMax),
    ] as const;
    const exit = await talk(process, input, outputs);
    result = new ProcessResult(process.command, exit, outputs[0].bytes(), outputs[1].bytes());
  } finally {
    await process[Symbol.asyncDispose]();
  }
  if (check && result.exit.code !== 0) throw new ProcessFailedError(result);
  return result;
}

function requireInput(input: unknown, stdin: unknown): void {
  if (stdin === "pipe") {
    throw new RangeError(
      'runProcess({ stdin }): got "pipe", to which nobody could write; needs input, or openProcess',
    );
  }
  if (input === undefined) return;
  if (stdin !== undefined)
    throw new TypeError("runProcess({ input, stdin }): got both, needs only one of them");
  if (typeof input === "string" || input instanceof Uint8Array) return;
  if (
    typeof (input as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === "function"
  )
    return;
  throw new TypeError(
    `runProcess({ input }): got ${describeValue(input)}, needs a string, a Uint8Array, or an async iterable of them`,
  );
}

/** Gives the input and takes the output until the process has ended. The first failure of either is thrown, bare. */
async function talk(
  process: ChildProcess,
  input: ProcessInput | undefined,
  outputs: readonly Collector[],
): Promise<ProcessExit> {
  let failure: { readonly error: unknown } | null = null;
  const exit = await new CancelScope().run(async (scope) => {
    /** Failures of these tasks are not those of a group, which would wrap them. */
    const begin = (group: TaskGroup, fn: () => Promise<void>): void => {
      const guarded = (): Promise<void> =>
        fn().catch((error: unknown) => {
          if (isCancelled(error)) throw error;
          failure ??= { error };
          scope.cancel("runProcess failed");
        });
      group.startSoon(guarded, { daemon: true });
    };
    return await taskGroup(async (group) => {
      if (input !== undefined) begin(group, () => feed(process.stdin, input));
      for (const output of outputs) begin(group, () => output.collect());
      const ended = await process.wait();
      await untilSilent(outputs);
      return ended;
    });
  });
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
  return exit as ProcessExit;
}

/** Waits until all have ended, or nothing has come from any for a while. */
async function untilSilent(outputs: readonly Collector[]): Promise<void> {
  for (let seen = -1; ;) {
    const size = outputs.reduce((sum, output) => sum + output.size, 0);
    if (size === seen) return;
    seen = size;
    const allEnded = await moveOnAfter(SILENCE_MS, async () => {
      for (const output of outputs) await output.untilEnded();
      return true;
    });
    if (allEnded === true) return;
  }
}

/** Gives all of the input, as far as the process wants it. */
async function feed(stdin: ByteSendStream, input: ProcessInput): Promise<void> {
  if (typeof input === "string") await give(stdin, new TextEncoder().encode(input));
  else if (input instanceof Uint8Array) await give(stdin, input);
  else await giveAll(stdin, input);
  stdin.close();
}

/** Whether the process still reads. */
async function give(stdin: ByteSendStream, bytes: Uint8Array): Promise<boolean> {
  try {
    await stdin.send(bytes);
    return true;
  } catch (error) {
    if (error instanceof BrokenResourceError) return false;
    throw error;
  }
}

async function giveAll(stdin: ByteSendStream, input: AsyncIterable<Uint8Array>): Promise<void> {
  const iterator = input[Symbol.asyncIterator]();
  // What a foreign iterator waits for cannot be cancelled, and must not hold up the end.
  const isForeign = typeof (input as Partial<ByteReceiveStream>).receive !== "function";
  let ended = false;
  try {
    for (;;) {
      const step = await (isForeign ? abandonOnCancel(() => iterator.next()) : iterator.next());
      ended = step.done === true;
      if (step.done === true || !(await give(stdin, step.value))) return;
    }
  } finally {
    if (!ended) leave(iterator);
  }
}

/** Tells an iterator that nobody wants more. What comes of that is its own business. */
function leave(iterator: AsyncIterator<unknown>): void {
  void (async () => iterator.return?.())().catch(() => {});
}

/** What comes out of one stream of a process. */
class Collector {
  readonly #process: ChildProcess;
  readonly #name: "stdout" | "stderr";
  readonly #stream: ByteReceiveStream | null;
  readonly #bytesMax: number;
  readonly #chunks: Uint8Array[] = [];
  readonly #ended: Event = new Event();
  #size = 0;

  constructor(process: ChildProcess, name: "stdout" | "stderr", isPipe: boolean, bytesMax: number) {
    this.#process = process;
    this.#name = name;
    this.#stream = isPipe ? process[name] : null;
    this.#bytesMax = bytesMax;
    if (!isPipe) this.#ended.set();
  }

  async collect(): Promise<void> {
    if (this.#stream === null) return;
    for await (const chunk of this.#stream) {
      this.#size += chunk.length;
      if (this.#size > this.#bytesMax)
        throw new OutputLimitError(this.#process.command, this.#name, this.#bytesMax);
      this.#chunks.push(chunk);
    }
    this.#ended.set();
  }

  untilEnded(): Promise<void> {
    return this.#ended.wait();
  }

  get size(): number {
    return this.#size;
  }

  bytes(): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }
}
