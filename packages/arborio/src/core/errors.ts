/**
 * The vocabulary of errors, sorted by who must act. Every class has a stable `code`, and `instanceof` works across two
 * loaded copies of the package. Wrong arguments are `TypeError` and `RangeError`, as everywhere in JavaScript.
 */
import { brandError } from "./brand.ts";

/** Root of the library's errors. `code` is stable; `message` may change between versions. */
export class ArborioError extends Error {
  /** The class's own, for example `"ARBORIO_WOULD_BLOCK"`. */
  declare readonly code: string;
}
brandError(ArborioError, "ArborioError");

/** You closed this resource, also while the failing operation was waiting on it. Counterpart: `anyio.ClosedResourceError`. */
export class ClosedResourceError extends ArborioError {}
brandError(ClosedResourceError, "ClosedResourceError");

/** The other side, or the world, broke this resource; trying again on it cannot succeed. Counterpart: `anyio.BrokenResourceError`. */
export class BrokenResourceError extends ArborioError {}
brandError(BrokenResourceError, "BrokenResourceError");

/** Two tasks used one direction of a resource at once. Counterpart: `anyio.BusyResourceError`. */
export class BusyResourceError extends ArborioError {}
brandError(BusyResourceError, "BusyResourceError");

/** The stream or channel ended in order; there is nothing more to receive. Counterpart: `anyio.EndOfStream`. */
export class EndOfStream extends ArborioError {}
brandError(EndOfStream, "EndOfStream");

/** A `…Nowait` function would have had to wait. Counterpart: `trio.WouldBlock`. */
export class WouldBlock extends ArborioError {}
brandError(WouldBlock, "WouldBlock");

/** The time given by `failAfter` or `failAt` was over before the body had ended. Counterpart: `trio.TooSlowError`. */
export class TimeoutError extends ArborioError {}
brandError(TimeoutError, "TimeoutError");

/** The backend in use cannot do this; the message names the backend and the operation. */
export class NotSupportedError extends ArborioError {}
brandError(NotSupportedError, "NotSupportedError");

/** The call does not fit the state of its object: a lock released twice, a scope run twice, a run inside a run. */
export class InvalidStateError extends ArborioError {}
brandError(InvalidStateError, "InvalidStateError");

/** A flow reached a checkpoint or opened a scope after its own scope had closed: a call that nobody awaited outlived it. */
export class ScopeClosedError extends ArborioError {}
brandError(ScopeClosedError, "ScopeClosedError");

/** A task was to be started in a group that has ended. */
export class GroupClosedError extends ArborioError {}
brandError(GroupClosedError, "GroupClosedError");

/** A `Cancelled` turned up where nothing was cancelled (a stored error, a promise shared between tasks); it is the `cause`. */
export class StrayCancelledError extends ArborioError {}
brandError(StrayCancelledError, "StrayCancelledError");

/** The task whose result was asked for failed; its error is the `cause`. Counterpart: `anyio.TaskFailed`. */
export class TaskFailed extends ArborioError {}
brandError(TaskFailed, "TaskFailed");

/** The task (or group body) whose result was asked for was cancelled, so there is none. Counterpart: `anyio.TaskCancelled`. */
export class TaskCancelled extends ArborioError {}
brandError(TaskCancelled, "TaskCancelled");

/** The run was cut short by a signal. Unhandled, it ends the process quietly with exit code 128 + the signal's number. */
export class InterruptedError extends ArborioError {
  /** The name of the signal that came last, for example `"SIGINT"`. */
  readonly signal: string;

  /** Made by `run`. */
  constructor(signal: string) {
    super(`run: interrupted by ${signal}`);
    this.signal = signal;
  }
}
brandError(InterruptedError, "InterruptedError");

/** Nothing can run, no timer is set, and main has not ended. Thrown by the simulator; the message holds the wait graph. */
export class DeadlockError extends ArborioError {}
brandError(DeadlockError, "DeadlockError");

/**
 * The system refused or failed an operation: the file is missing, the address is in use, the name is unknown. The runtime's own
 * error, where there is one, is the `cause`. Counterpart: `OSError`.
 */
export class SystemError extends ArborioError {
  /** The system's own name of the error: `"ENOENT"`, `"EADDRINUSE"`, `"ENOTFOUND"`. `"EUNKNOWN"` if the runtime told none. */
  readonly systemCode: string;

  /** Made by backends. */
  constructor(message: string, systemCode: string, options?: ErrorOptions) {
    super(message, options);
    this.systemCode = systemCode;
  }
}
brandError(SystemError, "SystemError");

/** Why TLS failed, the same word on every runtime. */
export type TlsFailure =
  /** The other side's certificate is not signed by anybody who is trusted. */
  | "untrusted"
  /** Its certificate has expired. */
  | "expired"
  /** Its certificate is not valid yet. */
  | "not-yet-valid"
  /** Its certificate is for other names, or it has none for the name asked for. */
  | "wrong-name"
  /** Its certificate was revoked. */
  | "revoked"
  /** The client has to show a certificate, and did not. */
  | "certificate-required"
  /** The other side does not accept this side's certificate. */
  | "rejected"
  /** The two sides have no version of TLS in common. */
  | "no-common-version"
  /** The two sides have no application protocol (ALPN) in common. */
  | "no-common-protocol"
  /** The other side speaks something else. */
  | "not-tls"
  /** The other side closed the connection during the handshake. */
  | "handshake-cut"
  /** The connection ended without the closing alert. */
  | "truncated"
  /** Anything else. */
  | "protocol";

/** TLS could not be agreed upon, or was broken off. The runtime's own error is the `cause`. Counterpart: `ssl.SSLError`. */
export class TlsError extends BrokenResourceError {
  /** What went wrong, the same word on every runtime. */
  readonly reason: TlsFailure;

  /** Made by backends. */
  constructor(message: string, reason: TlsFailure, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
brandError(TlsError, "TlsError");

/** Why bytes could not be decompressed. */
export type CompressionFailure =
  /** They are not in this format, or damaged. */
  | "corrupt"
  /** They end too early. */
  | "truncated"
  /** Something follows their end. */
  | "trailing"
  /** They hold more than was allowed. */
  | "too-large";

/** Bytes could not be decompressed. The runtime's own error, if there is one, is the `cause`. Counterpart: `zlib.error`. */
export class CompressionError extends BrokenResourceError {
  /** What is wrong with them, the same word on every runtime. */
  readonly reason: CompressionFailure;

  /** Made by backends. */
  constructor(message: string, reason: CompressionFailure, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
brandError(CompressionError, "CompressionError");

/** An invariant of the library does not hold: a bug in Arborio or in the runtime below it. Please report it. */
export class InternalError extends ArborioError {}
brandError(InternalError, "InternalError");
