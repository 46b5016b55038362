/** 128 + SIGPIPE: what a program that the system had told by the signal would end with. */
const UNREAD_CODE = 141;

/** Whether standard output still takes what is written to it. Nobody reads it any more, or its disk is full, or whatever else a write finds out. */
export class LostOutput {
  #cause: Error | null = null;
  #callback: () => void = () => {};

  get isLost(): boolean {
    return this.#cause !== null;
  }

  /** What the process ends with then. That nobody reads, the reader has decided: all else is a failure. */
  get exitCode(): number {
    return isUnread(this.#cause) ? UNREAD_CODE : 1;
  }

  /** What there is to say; `null`: nothing, since nobody reads. */
  get message(): string | null {
    const cause = this.#cause;
    return cause === null || isUnread(cause) ? null : `standard output: ${cause.message}`;
  }

  /** A write has failed. What the first one found counts. */
  lose(cause: Error): void {
    if (this.isLost) return;
    this.#cause = cause;
    this.#callback();
  }

  /** Calls this when it is lost, once. */
  onLost(callback: () => void): void {
    this.#callback = callback;
    if (this.isLost) callback();
  }
}

function isUnread(cause: Error | null): boolean {
  // Of the runtime's own errors, and of a `SystemError`, which is not loaded for that.
  const { code, systemCode } = (cause ?? {}) as { code?: unknown; systemCode?: unknown };
  return code === "EPIPE" || systemCode === "EPIPE";
}
