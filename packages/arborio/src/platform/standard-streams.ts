import type { Completion, Withdraw } from "./network.ts";
import type { Wire } from "./wire.ts";

/** The standard streams of the process. What is opened here shares them with everybody else in the process. */
export interface StandardStreams {
  /** Standard input. Reads only while a `read` waits, and keeps the process alive only so long. */
  openInput(): ByteSource;
  /** Standard output, or standard error. Nothing is ever received on it; closed, the descriptor stays the process's. */
  openOutput(which: "output" | "error"): Wire;
}

/** Bytes to be asked for, one piece at a time. */
export interface ByteSource {
  /**
   * Succeeds with 1 to `maxBytes` bytes, which belong to the receiver, or with `null` at the end, also when asked again.
   * Withdrawn, it lost none. There is one `read` at a time. What it throws counts as a failure.
   */
  read(maxBytes: number, completion: Completion<Uint8Array | null>): Withdraw;
  /** Gives the source back. A `read` that waits is withdrawn before. */
  close(): void;
}
