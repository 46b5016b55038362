import { brandError } from "../core/brand.ts";
import { ArborioError } from "../core/errors.ts";

/**
 * The thread or process that worked on a call ended before the call did: by `process.exit`, by an error that nobody caught (it is the
 * `cause`), by a signal, for want of memory. Another takes its place; other calls are not affected. A call that had not come to it is given to
 * another one, unless it brought along what changes hands, which is lost.
 * Counterpart: `anyio.BrokenWorkerProcess`, `concurrent.futures.process.BrokenProcessPool`.
 */
export class BrokenWorkerError extends ArborioError {
  /** Exit code of the worker; `undefined` if it did not end by itself. */
  readonly exitCode: number | undefined;
  /** Signal that ended a process. */
  readonly signal: string | undefined;

  /** Made by `runInThread` and `runInProcess`. */
  constructor(
    message: string,
    exitCode: number | undefined,
    signal: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.signal = signal;
  }
}
brandError(BrokenWorkerError, "BrokenWorkerError");
