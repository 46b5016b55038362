import { ambientScope } from "../core/ambient.ts";
import { CancelScope } from "../core/scope.ts";
import type { WorkerParent } from "../platform/threads.ts";
import type { ReplyLine } from "./reply-line.ts";
import { CANCELLED } from "./protocol.ts";

/**
 * The scope of a call. Code finds the call by it, and not by a variable of the module: a simulator has all its workers in one thread.
 */
class CallScope extends CancelScope {
  readonly call: WorkerCall;

  constructor(call: WorkerCall) {
    super();
    this.call = call;
  }
}

/** The call that the calling flow is part of, if it is in a worker. */
export function currentWorkerCall(): WorkerCall | undefined {
  for (let at: CancelScope | null = ambientScope(); at !== null; at = at.parent) {
    if (at instanceof CallScope) return at.call;
  }
  return undefined;
}

/** A call, as the worker that works on it sees it. */
export class WorkerCall {
  readonly id: number;
  /** What came with the call beside its arguments. */
  readonly extra: unknown;
  /** Everything that the called function does is in it. */
  readonly scope: CancelScope = new CallScope(this);
  readonly parent: WorkerParent;
  readonly #line: ReplyLine;
  /** Absent in a process. */
  readonly flags: Int32Array | undefined;
  /** Gets what the program tells this call (`Call.tell`). */
  onTold: (payload: unknown) => void = () => {};

  constructor(line: ReplyLine, flags: Int32Array | undefined, id: number, extra: unknown) {
    this.parent = line.parent;
    this.#line = line;
    this.flags = flags;
    this.id = id;
    this.extra = extra;
  }

  /** Cancels it, as soon as the caller wants that: also if the message has not come through yet, since this thread is busy. */
  noticeCancellation(): void {
    const cancelledId =
      this.flags === undefined ? this.parent.readMark?.() : Atomics.load(this.flags, CANCELLED);
    if (cancelledId === this.id) this.cancel();
  }

  cancel(): void {
    this.scope.cancel("the caller was cancelled");
  }

  /** Tells the program's side of this call (`CallExtension.told`). */
  tell(payload: unknown, transfer?: readonly object[]): void {
    this.#line.send("tell", this.id, payload, transfer);
  }
}
