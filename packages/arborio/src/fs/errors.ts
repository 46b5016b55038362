/** Errors of files. Whatever the system refuses is a `SystemError`. */
import { brandError } from "../core/brand.ts";
import { SystemError } from "../core/errors.ts";

/** A write failed when a part of it was written already, for example because the disk is full. */
export class PartialWriteError extends SystemError {
  /**
   * So many bytes, the first ones, were written. On Deno at least so many: it does not tell how much was written of the last piece, of up
   * to 1 MiB.
   */
  readonly writtenBytes: number;

  /** Made by writes to a file. */
  constructor(message: string, systemCode: string, writtenBytes: number, options?: ErrorOptions) {
    super(message, systemCode, options);
    this.writtenBytes = writtenBytes;
  }
}
brandError(PartialWriteError, "PartialWriteError");
