import { ClosedResourceError, SystemError } from "../core/errors.ts";
import { PartialWriteError } from "./errors.ts";
import type { OpenHandle } from "./open-handle.ts";

/** The system is given at most so many bytes at once: between two pieces, a file that was closed meanwhile is let go. */
const PIECE_BYTES_MAX: number = 1024 * 1024;

/** Is told how many bytes were written, and why not all. */
export type WriteEnd = (writtenBytes: number, error: Error | null) => void;

/**
 * Writes all of `bytes` from `position` on, in as many pieces as the system makes of them; calls `ended` once. What fails, or closes
 * the file, meanwhile is told with how much was written before.
 */
export function writePieces(
  open: OpenHandle,
  bytes: Uint8Array,
  position: number,
  ended: WriteEnd,
): void {
  const { path } = open;
  const wanted = bytes.length;
  let written = 0;
  const end = (error: Error | null): void => {
    open.changes += 1;
    ended(written, error);
  };
  const fail = (error: Error): void => end(tellWritten(error, written, wanted));
  const taken = (count: number): void => {
    written += count;
    if (count === 0) fail(new SystemError(`write ${path}: the system takes nothing (EIO)`, "EIO"));
    else next();
  };
  const next = (): void => {
    if (written === wanted) return end(null);
    if (open.isClosed)
      return fail(new ClosedResourceError(`File: ${path} was closed while it was written`));
    const piece = bytes.subarray(written, written + PIECE_BYTES_MAX);
    try {
      open.handle.write(piece, position + written, { succeed: taken, fail });
    } catch (error) {
      fail(error as Error);
    }
  };
  open.changes += 1;
  next();
}

function tellWritten(error: Error, written: number, wanted: number): Error {
  if (written === 0) return error;
  const message = `${error.message}; ${written} of ${wanted} bytes were written`;
  if (error instanceof ClosedResourceError)
    return new ClosedResourceError(message, { cause: error });
  return error instanceof SystemError
    ? new PartialWriteError(message, error.systemCode, written, { cause: error })
    : error;
}
