import type { WorkerParent } from "../platform/threads.ts";
import type { FromWorker } from "./protocol.ts";

/** Numbers what a worker sends to its program. */
export class ReplyLine {
  readonly parent: WorkerParent;
  #next = 0;

  constructor(parent: WorkerParent) {
    this.parent = parent;
  }

  /** @throws DataCloneError if it cannot be sent. */
  send(kind: FromWorker[0], id: number, payload: unknown, transfer?: readonly object[]): void {
    this.parent.post([kind, id, payload, this.#next], transfer);
    this.#next = (this.#next + 1) | 0;
  }
}
