/** How far one download is. Plain state: who shows it looks at it when it likes, and hears of each change of `phase`. */

/** `waiting` → `connecting` → `receiving` → `verifying` → `done`; `pausing` before it connects again; `existing` and `failed` end it too. */
export type Phase =
  | "waiting"
  | "connecting"
  | "receiving"
  | "pausing"
  | "verifying"
  | "done"
  | "existing"
  | "failed";

/** Speed is that of so many milliseconds past: long enough to be read, short enough to be true. */
const WINDOW_MS = 5_000;

/** Samples of the window are so far apart, in milliseconds, so there are at most 21. */
const SAMPLE_MS = 250;

/** How far one download is. */
export class DownloadProgress {
  /** What it is called before people. */
  readonly name: string;
  /** Without credentials. */
  readonly url: string;
  /** Of the file; `null`: standard output. */
  readonly path: string | null;
  phase: Phase = "waiting";
  /** Bytes that are there, with those of earlier runs. */
  receivedBytes = 0;
  /** `null`: not known. */
  totalBytes: number | null = null;
  /** Bytes that were there when the last response came. */
  resumedBytes = 0;
  /** Bytes that this run has received. */
  transferredBytes = 0;
  /** Times of the run, in milliseconds; `null`: not yet. */
  startedAt: number | null = null;
  endedAt: number | null = null;
  /** Why it pauses, or has failed. */
  reason = "";
  readonly #changed: (progress: DownloadProgress) => void;
  /** When how many had been transferred, oldest first. */
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  constructor(
    what: Pick<DownloadProgress, "name" | "url" | "path">,
    changed: (progress: DownloadProgress) => void,
  ) {
    this.name = what.name;
    this.url = what.url;
    this.path = what.path;
    this.#changed = changed;
  }

  get isOver(): boolean {
    return this.endedAt !== null;
  }

  connecting(at: number): void {
    this.startedAt ??= at;
    this.#enter("connecting");
  }

  /** A response is there, whose body goes behind this many bytes. */
  receiving(offsetBytes: number, totalBytes: number | null, at: number): void {
    this.resumedBytes = offsetBytes;
    this.receivedBytes = offsetBytes;
    this.totalBytes = totalBytes;
    this.#samples.splice(0, Infinity, { at, bytes: this.transferredBytes });
    this.#enter("receiving");
  }

  received(bytes: number, at: number): void {
    this.receivedBytes += bytes;
    this.transferredBytes += bytes;
    const last = this.#samples.at(-1);
    if (last !== undefined && at - last.at < SAMPLE_MS) return;
    this.#samples.push({ at, bytes: this.transferredBytes });
    while ((this.#samples[1]?.at ?? Infinity) < at - WINDOW_MS) this.#samples.shift();
  }

  pausing(reason: string): void {
    this.reason = reason;
    this.#enter("pausing");
  }

  verifying(): void {
    this.#enter("verifying");
  }

  ended(phase: "done" | "existing" | "failed", at: number, reason = ""): void {
    this.endedAt = at;
    this.reason = reason;
    this.#enter(phase);
  }

  /** Bytes a second of late; `null` before there is anything to tell. */
  bytesPerSecond(at: number): number | null {
    const [first] = this.#samples;
    if (this.phase !== "receiving" || first === undefined || at - first.at < SAMPLE_MS) return null;
    return ((this.transferredBytes - first.bytes) * 1000) / (at - first.at);
  }

  /** Milliseconds that are left at that speed; `null` if that cannot be told. */
  remainingMs(at: number): number | null {
    const speed = this.bytesPerSecond(at);
    if (speed === null || speed === 0 || this.totalBytes === null) return null;
    return ((this.totalBytes - this.receivedBytes) * 1000) / speed;
  }

  #enter(phase: Phase): void {
    this.phase = phase;
    this.#changed(this);
  }
}
