import { requireCount } from "../core/arguments.ts";
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

/** Throws unless `position` is a number of bytes that is exact: a whole number from 0 up to 2⁵³ − 1. */
export function requirePosition(where: string, position: unknown): void {
  requireCount(where, position, 0, false);
  if (Number.isSafeInteger(position)) return;
  throw new RangeError(`${where}: got ${String(position)}, needs at most 2**53 - 1`);
}
