import type { LockRequest } from "../../platform/files.ts";
import type { DiskTimes } from "./disk-times.ts";
import type { FileLocks } from "./file-locks.ts";

/** What an attempt to lock needs. */
export interface LockAttemptParts {
  readonly locks: FileLocks;
  /** Whose lock it is: an open file. */
  readonly holder: object;
  readonly request: LockRequest;
  readonly times: DiskTimes;
  /** Told once, withdrawn or not: whether it has the lock; `null` if its file is open no more. */
  readonly ended: (taken: boolean | null) => void;
}

/** One call of `lock`. */
export class LockAttempt {
  readonly #parts: LockAttemptParts;
  #stage: "begun" | "waiting" | "decided" | "ended" = "begun";
  #leaveQueue: () => void = () => {};
  #isWithdrawn = false;

  /** What the holder had is given up first, at once: so does flock(2) that changes a lock. */
  constructor(parts: LockAttemptParts) {
    this.#parts = parts;
    parts.locks.giveUp(parts.holder);
    parts.times.after(() => this.#ask());
  }

  /** What it took meanwhile is given up. */
  withdraw(): void {
    if (this.#isWithdrawn || this.#stage === "ended") return;
    this.#isWithdrawn = true;
    if (this.#stage === "decided") this.#parts.locks.giveUp(this.#parts.holder);
    if (this.#stage === "waiting") this.#end(false);
  }

  /** The file is closed. */
  close(): void {
    this.#end(null);
  }

  #ask(): void {
    if (this.#stage === "ended") return;
    const { locks, holder, request } = this.#parts;
    const { kind } = request;
    if (kind === "none") {
      this.#end(true);
    } else if (this.#isWithdrawn) {
      this.#end(false);
    } else if (locks.take(holder, kind)) {
      this.#end(true);
    } else if (!request.wait) {
      this.#end(false);
    } else {
      this.#stage = "waiting";
      this.#leaveQueue = locks.wait(holder, kind, () => this.#granted());
    }
  }

  /** Whoever waits hears of it a little later. */
  #granted(): void {
    this.#stage = "decided";
    this.#parts.times.after(() => this.#end(!this.#isWithdrawn));
  }

  #end(taken: boolean | null): void {
    if (this.#stage === "ended") return;
    this.#stage = "ended";
    this.#leaveQueue();
    this.#parts.ended(taken);
  }
}
