/** The side of the worker: who has started this process. */
import process from "node:process";
import type { WorkerParent } from "../../platform/threads.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import type { MessageCodec } from "./node-worker-process-codec.ts";
import { MarkFile } from "./node-worker-process-mark.ts";
import { sendSignal } from "./process-groups.ts";

const workerThreads = lazily("node:worker_threads");

/** Begins the argument by which a worker knows that it is one, and that has its data. */
const WORKER_ARGUMENT = "arborio-worker-v1:";
/** Where that argument is: after the program, the module, and the name, which is for people. */
const WORKER_ARGUMENT_INDEX = 3;
/** How many arguments a program has that is given none. */
const NO_ARGUMENTS = 2;

/** Field of a message that tells what nobody caught. */
export const LAST_WORDS = "lastWords";

/** What a worker sends. */
export type FromWorker = { readonly message: unknown } | { readonly [LAST_WORDS]: unknown };

/** What a worker is started with. */
export interface WorkerInput {
  readonly data: unknown;
  /** Where both sides leave their marks. */
  readonly markPath: string | undefined;
}

/** Arguments for a worker. */
export function workerArguments(name: string, input: Uint8Array): readonly string[] {
  return [name, WORKER_ARGUMENT + Buffer.from(input).toString("base64")];
}

let found: { readonly parent: WorkerParent | undefined } | undefined;

/** Whoever started this process, if it is a worker. */
export function processParent(codec: MessageCodec): WorkerParent | undefined {
  found ??= { parent: findParent(codec) };
  return found.parent;
}

function findParent(codec: MessageCodec): WorkerParent | undefined {
  const argument = process.argv[WORKER_ARGUMENT_INDEX];
  if (argument?.startsWith(WORKER_ARGUMENT) !== true || process.send === undefined)
    return undefined;
  if (!workerThreads().isMainThread) return undefined;
  // What runs here was not called with arguments.
  process.argv.length = NO_ARGUMENTS;
  const bytes = Buffer.from(argument.slice(WORKER_ARGUMENT.length), "base64");
  return outsideContext(() => new ProcessParent(codec.decode(bytes) as WorkerInput, codec));
}

class ProcessParent implements WorkerParent {
  readonly data: unknown;
  readonly readMark?: () => number;
  readonly showMark?: (mark: number) => void;
  readonly #codec: MessageCodec;
  readonly #waiting: unknown[] = [];
  #told: ((message: unknown) => void) | null = null;
  #isEnding = false;

  constructor({ data, markPath }: WorkerInput, codec: MessageCodec) {
    this.data = data;
    this.#codec = codec;
    const mark = markPath === undefined ? null : MarkFile.open(markPath);
    if (mark !== null) {
      this.readMark = () => mark.read();
      this.showMark = (shown) => mark.show(shown);
    }
    process.on("message", (bytes) => this.#received(codec.decode(bytes as Uint8Array)));
    process.on("disconnect", endAll);
    process.on("uncaughtExceptionMonitor", (error) => this.#sayLast(error));
  }

  post(message: unknown): void {
    // Bun 1.4.5 goes on for an event or two after an uncaught error. An answer now would bring another call, only to be lost.
    if (!this.#isEnding) this.#send({ message });
  }

  onMessage(told: (message: unknown) => void): void {
    this.#told = told;
    for (const message of this.#waiting.splice(0)) told(message);
  }

  importModule(url: string): Promise<Readonly<Record<string, unknown>>> {
    return import(url) as Promise<Readonly<Record<string, unknown>>>;
  }

  #received(message: unknown): void {
    if (this.#told === null) this.#waiting.push(message);
    else this.#told(message);
  }

  #send(message: FromWorker): void {
    const bytes = this.#codec.encode(message);
    // Without a channel there is nobody, and this process is about to end.
    if (process.connected) process.send?.(bytes, () => {});
  }

  /** This process is about to end by an error. */
  #sayLast(error: unknown): void {
    this.#isEnding = true;
    try {
      this.#send({ [LAST_WORDS]: error });
    } catch {
      this.#send({ [LAST_WORDS]: new Error(String(error)) });
    }
  }
}

/** Nobody needs this process any more, nor what it has started: it leads their group. */
function endAll(): void {
  process.once("exit", () => sendSignal(-process.pid, "SIGKILL"));
  process.exit(0);
}
