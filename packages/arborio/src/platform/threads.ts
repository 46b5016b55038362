/**
 * Threads and processes that run modules of this program: workers. What they are called with, and what they answer, is the business
 * of `threads/`; this carries messages.
 */
export interface Threads {
  /** How many can work at once: the number of processors that this process may use. */
  readonly parallelism: number;
  /**
   * Starts a worker. It does not keep this process alive unless it is needed (`setNeeded`).
   *
   * @throws SystemError if the system refuses at once.
   */
  start(target: WorkerTarget, listener: WorkerListener): WorkerHandle;
  /** Whoever started this thread or process, if it is a worker; absent in the program itself. */
  readonly parent?: WorkerParent | undefined;
  /** Two ports that belong together. What is posted to one, the other receives; either may be transferred to another thread. */
  createPortPair(): readonly [MessagePortLike, MessagePortLike];
  /** The oldest message that waits at a port, without a turn of the event loop, so that blocked code can receive too. */
  receiveNowait(port: MessagePortLike): { readonly message: unknown } | undefined;
  /** Takes a port that came in a message from another thread. */
  adoptPort(port: unknown): MessagePortLike;
}

/** What to start. */
export interface WorkerTarget {
  /** Whether it shares this process. */
  readonly kind: "thread" | "process";
  /** URL of the module that it runs. This calls `serve` with the `parent` that it finds. */
  readonly module: string;
  /** What that module does, for a backend whose workers are in this thread (a simulator): it calls this instead. */
  readonly serve: (parent: WorkerParent) => void;
  /** Whether a message to the worker begins a call, for a backend that counts them, and lets them take time (a simulator). */
  readonly isCall: (message: unknown) => boolean;
  /** For people who look at threads and processes. */
  readonly name: string;
  /** What the worker finds as `parent.data`. A structured clone, which may hold `SharedArrayBuffer`s if it is a thread. */
  readonly data: unknown;
}

/** Is told about a worker. Never during `start`. */
export interface WorkerListener {
  /** A message came from it. */
  message(message: unknown): void;
  /** A message came that could not be read. */
  unreadable(error: Error): void;
  /** It has ended, and every message from it has been told; nothing is told after this. Called once. */
  ended(exit: WorkerExit): void;
}

/** How a worker ended. */
export interface WorkerExit {
  /** Exit code, if it ended by itself. */
  readonly code: number | undefined;
  /** Signal that ended a process. */
  readonly signal: string | undefined;
  /** What it threw and nobody caught, as far as it could be told. */
  readonly error: unknown;
}

/** A worker that was started. */
export interface WorkerHandle {
  /**
   * Sends a structured clone of `message`; what is in `transfer` changes hands (threads only).
   *
   * @throws DataCloneError if it cannot be cloned: then nothing was sent, and nothing transferred.
   */
  post(message: unknown, transfer?: readonly object[]): void;
  /** The oldest message that has come and was not told yet. It may overtake one that is on its way to the listener (Deno). */
  receiveNowait?(): { readonly message: unknown } | undefined;
  /** Ends it at once, whatever it does: a thread is terminated, a process killed. `ended` tells when it is gone. */
  terminate(): void;
  /** Whether it keeps this process alive. */
  setNeeded(needed: boolean): void;
  /** Leaves a number that the worker can look at (`readMark`) also while its code does not give way; for processes, which share no memory. */
  showMark?(mark: number): void;
  /** What the worker left last by `showMark`, 0 at first; also when it has ended. Absent where nobody can tell. */
  readMark?(): number | undefined;
}

/** The other side, as a worker sees it. */
export interface WorkerParent {
  /** `data` of the target. */
  readonly data: unknown;
  /** Sends, as `WorkerHandle.post`. */
  post(message: unknown, transfer?: readonly object[]): void;
  /**
   * Is told each message. Until then they wait. What `told` returns is a promise if the message makes work; it never rejects. By that a
   * simulator knows whether the worker is busy.
   */
  onMessage(told: (message: unknown) => Promise<void> | undefined): void;
  /**
   * The oldest message that waits, without a turn of the event loop, so that a thread may sleep until one is there. Absent in a process, and
   * in a simulator.
   */
  receiveNowait?(): { readonly message: unknown } | undefined;
  /** What `showMark` left last, 0 at first; absent in threads, and in processes that have no means for it. */
  readMark?(): number;
  /** Leaves a number that the program can look at, also when this worker has ended. Absent in a simulator, and in processes that have no means for it. */
  showMark?(mark: number): void;
  /** Waits until what was written to standard output and error has left the worker; `undefined` if it has, or nothing was. Absent where writing waits. */
  flushOutput?(): Promise<void> | undefined;
  /** Loads a module, once: what `import(url)` gives. */
  importModule(url: string): Promise<Readonly<Record<string, unknown>>>;
}

/** One end of a pair of ports. */
export interface MessagePortLike {
  /** Sends, as `WorkerHandle.post`. */
  post(message: unknown, transfer?: readonly object[]): void;
  /** Is told each message from now on; and when the other end is closed, or its thread has ended. */
  listen(told: (message: unknown) => void, closed: () => void): void;
  /** Whether it keeps its thread alive. */
  setNeeded(needed: boolean): void;
  /** What is put into `transfer` and messages, to give it to another thread. It is not to be used here after that. */
  readonly native: object;
  /** Ends both ends; what was posted before is still told. */
  close(): void;
}
