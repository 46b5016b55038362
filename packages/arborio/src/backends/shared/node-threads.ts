import type { MessageChannel, MessagePort, Worker } from "node:worker_threads";
import type {
  MessagePortLike,
  Threads,
  WorkerExit,
  WorkerHandle,
  WorkerListener,
  WorkerParent,
  WorkerTarget,
} from "../../platform/threads.ts";
import process from "node:process";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { toSystemError } from "./system-error.ts";
import { coverMessage, uncoverMessage, uncoverReceived } from "./message-cover.ts";

const os = lazily("node:os");
const workerThreads = lazily("node:worker_threads");

/** Under this name a worker finds what belongs to it, so that no thread of somebody else's is taken for one. */
const WORKER_DATA = "arborio.worker.v1";

/** What a worker is started with. */
interface WorkerData {
  readonly [WORKER_DATA]: {
    readonly port: MessagePort;
    readonly data: unknown;
    /** Where it leaves its mark. */
    readonly mark: Int32Array;
  };
}

/** Threads of `node:worker_threads`, which Node, Bun and Deno all have. */
export const nodeThreads: Threads = {
  get parallelism(): number {
    return os().availableParallelism();
  },

  start(target: WorkerTarget, listener: WorkerListener): WorkerHandle {
    try {
      return outsideContext(() => new ThreadHandle(target, listener));
    } catch (error) {
      throw toSystemError("start a thread", error);
    }
  },

  get parent(): WorkerParent | undefined {
    return threadParent();
  },

  createPortPair(): readonly [MessagePortLike, MessagePortLike] {
    const { port1, port2 } = outsideContext(() => new (workerThreads().MessageChannel)());
    return [new NodePort(port1), new NodePort(port2)];
  },

  receiveNowait(port: MessagePortLike): { readonly message: unknown } | undefined {
    return uncoverReceived(workerThreads().receiveMessageOnPort(port.native as MessagePort));
  },

  adoptPort(port: unknown): MessagePortLike {
    return new NodePort("on" in (port as object) ? (port as MessagePort) : asNodePort(port));
  },
};

/**
 * In a web `Worker` of Deno 2.9.5 ports come as those of the web, which do not tell when they are closed. One that has gone through a channel of
 * `node:worker_threads` does.
 */
function asNodePort(port: unknown): MessagePort {
  const { MessageChannel, receiveMessageOnPort } = workerThreads();
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(port, [port as MessagePort]);
  const received = receiveMessageOnPort(port2) as { readonly message: MessagePort };
  port1.close();
  return received.message;
}

class ThreadHandle implements WorkerHandle {
  readonly #worker: Worker;
  /** A channel of its own: Deno cannot receive from the one that each worker has but in its event loop, and it is the faster one. */
  readonly #port: MessagePort;
  readonly #listener: WorkerListener;
  readonly #mark = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #error: unknown;
  #portOpen = true;
  #ended = false;

  constructor(target: WorkerTarget, listener: WorkerListener) {
    const { MessageChannel, Worker } = workerThreads();
    const { port1, port2 }: MessageChannel = new MessageChannel();
    const own = { port: port2, data: target.data, mark: this.#mark };
    const workerData: WorkerData = { [WORKER_DATA]: own };
    this.#port = port1;
    this.#listener = listener;
    // Threads inherit the flag, and Node then takes no module from a file.
    const isText = process.execArgv.some((arg) => arg.startsWith("--input-type"));
    this.#worker = new Worker(
      isText ? `import(${JSON.stringify(target.module)})` : new URL(target.module),
      { workerData, transferList: [port2], name: target.name, eval: isText },
    );
    port1.on("message", (message: unknown) => listener.message(uncoverMessage(message)));
    port1.on("messageerror", (error: Error) => listener.unreadable(error));
    port1.on("close", () => {
      this.#portOpen = false;
    });
    this.#worker.on("error", (error: unknown) => {
      this.#error ??= error;
    });
    this.#worker.on("exit", (code) => this.#end(code));
    this.setNeeded(false);
  }

  post(message: unknown, transfer?: readonly object[]): void {
    this.#port.postMessage(coverMessage(message, transfer), transfer as undefined);
  }

  terminate(): void {
    void this.#worker.terminate();
  }

  setNeeded(needed: boolean): void {
    if (this.#ended) return;
    if (needed) this.#worker.ref();
    else {
      this.#worker.unref();
      this.#port.unref();
    }
  }

  receiveNowait(): { readonly message: unknown } | undefined {
    if (!this.#portOpen) return undefined;
    return uncoverReceived(workerThreads().receiveMessageOnPort(this.#port));
  }

  readMark(): number {
    return Atomics.load(this.#mark, 0);
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    // The end may be told before the last messages are. Deno throws if the other end is known to be gone.
    for (let last = this.receiveNowait(); last !== undefined; last = this.receiveNowait())
      this.#listener.message(last.message);
    this.#port.close();
    const exit: WorkerExit = { code, signal: undefined, error: this.#error };
    this.#listener.ended(exit);
  }
}

let foundParent: { readonly parent: WorkerParent | undefined } | undefined;

function threadParent(): WorkerParent | undefined {
  foundParent ??= { parent: findParent() };
  return foundParent.parent;
}

function findParent(): WorkerParent | undefined {
  const { isMainThread, receiveMessageOnPort, workerData } = workerThreads();
  if (isMainThread) return undefined;
  const found = (workerData as Partial<WorkerData> | null | undefined)?.[WORKER_DATA];
  if (found === undefined) return undefined;
  const { port, data, mark } = found;
  return {
    data,
    post: (message, transfer) =>
      port.postMessage(coverMessage(message, transfer), transfer as undefined),
    onMessage: (told) =>
      void outsideContext(() =>
        port.on("message", (message) => void told(uncoverMessage(message))),
      ),
    receiveNowait: () =>
      uncoverReceived(receiveMessageOnPort(port) as { readonly message: unknown } | undefined),
    showMark: (shown) => void Atomics.store(mark, 0, shown),
    flushOutput,
    importModule: (url) => import(url) as Promise<Readonly<Record<string, unknown>>>,
  };
}

/** Output of a thread goes through the event loop of the program's, which may end right after the answer. */
function flushOutput(): Promise<void> | undefined {
  const { stderr, stdout } = process;
  if (stdout.writableLength === 0 && stderr.writableLength === 0) return undefined;
  const flushed = [stdout, stderr].map(
    (stream) => new Promise<void>((resolve) => void stream.write("", () => resolve())),
  );
  return Promise.all(flushed).then(() => undefined);
}

class NodePort implements MessagePortLike {
  readonly native: MessagePort;

  constructor(port: MessagePort) {
    this.native = port;
  }

  post(message: unknown, transfer?: readonly object[]): void {
    this.native.postMessage(coverMessage(message, transfer), transfer as undefined);
  }

  listen(told: (message: unknown) => void, closed: () => void): void {
    outsideContext(() => {
      this.native.on("message", (message) => told(uncoverMessage(message)));
      this.native.on("close", closed);
    });
  }

  setNeeded(needed: boolean): void {
    if (needed) this.native.ref();
    else this.native.unref();
  }

  close(): void {
    this.native.close();
  }
}
