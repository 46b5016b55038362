/** The errors of streams, with what was attempted on which kind of stream. */
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
  TlsError,
} from "../core/errors.ts";

export function closedError(stream: string, operation: string): ClosedResourceError {
  return new ClosedResourceError(
    `${stream}.${operation}: this stream is closed; close it when nobody uses it any more`,
  );
}

/** @param does what the other task does: `"receives from"`. */
export function busyError(stream: string, operation: string, does: string): BusyResourceError {
  return new BusyResourceError(
    `${stream}.${operation}: another task ${does} this stream at the moment; let one task do it, or take turns with a Lock`,
  );
}

/** An error of its own for each operation, with its stack; one of TLS keeps its reason. */
export function brokenError(stream: string, operation: string, cause: Error): Error {
  const message = `${stream}.${operation}: ${cause.message}`;
  if (cause instanceof TlsError) return new TlsError(message, cause.reason, { cause });
  return new BrokenResourceError(message, { cause });
}

export function endedError(stream: string, operation: string): ClosedResourceError {
  return new ClosedResourceError(
    `${stream}.${operation}: after sendEof, which ended the sending half; send everything before it`,
  );
}

export function cutError(stream: string, operation: string): BrokenResourceError {
  return new BrokenResourceError(
    `${stream}.${operation}: an earlier send was cancelled after its first byte, so the other side may have a part of it; ` +
      "close this stream, or shield sends that must not be cut",
  );
}

/** The memory of a `receiveInto` that waits was given away, or has shrunk. */
export function viewGoneError(stream: string): TypeError {
  return new TypeError(
    `${stream}.receiveInto: the view has no bytes any more, since its buffer was transferred or resized; keep it until receiveInto has ended`,
  );
}

export function endOfStream(stream: string, operation: string): EndOfStream {
  return new EndOfStream(`${stream}.${operation}: the other side has ended`);
}
