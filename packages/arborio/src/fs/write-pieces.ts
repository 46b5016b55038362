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
  let written = 0;
  const fail = (error: Error): void => ended(written, tellWritten(error, written, bytes.length));
  const next = (): void => {
    if (written === bytes.length) return ended(written, null);
    if (open.isClosed) {
      return fail(new ClosedResourceError(`File: ${open.path} was closed while it was written`));
    }
    open.handle.write(bytes.subarray(written, written + PIECE_BYTES_MAX), position + written, {
      succeed: (count) => {
        if (count === 0)
          return fail(new SystemError(`write ${open.path}: the system takes nothing (EIO)`, "EIO"));
        written += count;
        next();
      },
      fail,
    });
  };
  next();
}

function tellWritten(error: Error, written: number, wanted: number): Error {
  if (written === 0) return error;
  const message = `${error.message}; ${written} of ${wanted} bytes were written`;
  return error instanceof SystemError
    ? new PartialWriteError(message, error.systemCode, written, { cause: error })
    : new ClosedResourceError(message, { cause: error });
}
