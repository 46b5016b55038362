import type { Completion, Withdraw } from "../platform/network.ts";

/** The system is asked for at most so many bytes at once: a read that is abandoned keeps its memory, and a thread, until it ends. */
export const READ_BYTES_MAX: number = 1024 * 1024;

/** What is needed of an open file to read parts of it. */
export interface PositionedFile {
  readonly path: string;
  /** Grows when something was written through this open file: what was read before may be old. */
  readonly changes: number;
  /** Memory to read into; what is in it means nothing. */
  allocate(bytes: number): Uint8Array;
  /** Throws if it is closed. */
  requireOpen(operation: string): void;
  /** Reads into memory that is not used for anything else, also if the read is withdrawn. */
  readOwned(view: Uint8Array, position: number, completion: Completion<number>): Withdraw;
}
