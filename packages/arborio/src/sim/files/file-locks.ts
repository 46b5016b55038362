import type { LockRequest } from "../../platform/files.ts";

type LockKind = Exclude<LockRequest["kind"], "none">;

interface WaitingLock {
  readonly holder: object;
  readonly kind: LockKind;
  readonly granted: () => void;
}

/**
 * The advisory locks of one file, as flock(2) has them: of open files, not of programs; only those that hold one are in the way, not
 * those that wait.
 */
export class FileLocks {
  readonly #held: Map<object, LockKind> = new Map();
  readonly #waiting: Set<WaitingLock> = new Set();

  /** Takes a lock at once, for who has none; whether it could. */
  take(holder: object, kind: LockKind): boolean {
    if (!this.#isFree(holder, kind)) return false;
    this.#held.set(holder, kind);
    return true;
  }

  /** Takes a lock as soon as nobody is in the way, in the order in which they asked; returns what withdraws that. */
  wait(holder: object, kind: LockKind, granted: () => void): () => void {
    const waiting = { holder, kind, granted };
    this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  }

  /** Gives up what it holds, if anything. */
  giveUp(holder: object): void {
    if (this.#held.delete(holder)) this.#grant();
  }

  #grant(): void {
    for (const waiting of this.#waiting) {
      if (!this.#isFree(waiting.holder, waiting.kind)) continue;
      this.#waiting.delete(waiting);
      this.#held.set(waiting.holder, waiting.kind);
      waiting.granted();
    }
  }

  #isFree(holder: object, kind: LockKind): boolean {
    for (const [other, held] of this.#held) {
      if (other !== holder && (kind === "exclusive" || held === "exclusive")) return false;
    }
    return true;
  }
}
