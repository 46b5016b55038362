import { BrokenResourceError, TlsError } from "arborio";
import { ProtocolError } from "../protocol/protocol-error.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import {
  type FailurePhase,
  type FailureReason,
  RequestFailedError,
} from "./request-failed-error.ts";

/** Why this side gave an exchange up: what whoever waits for the response is told then. `"timeout"` and `"request-body"` are of its sending. */
export class Stopped extends Error {
  override readonly name: string = "Stopped";
  /** `"aborted"`: by the request's signal, whose reason is the cause. */
  readonly reason: FailureReason | "aborted";

  constructor(reason: FailureReason | "aborted", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** What whoever waits is told when the connection is gone. @param failure `null`: it ended as connections do. */
export function connectionGone(
  { method, url }: OutgoingRequest,
  phase: FailurePhase,
  failure: Error | null,
): unknown {
  if (isRefusal(failure)) {
    const message = `TLS failed: ${failure.reason}: ${failure.message}`;
    return new RequestFailedError(message, {
      phase: "tls",
      reason: "tls",
      method,
      url,
      cause: failure,
    });
  }
  if (!(failure instanceof Stopped)) {
    const message =
      phase === "body"
        ? "the connection ended before all of the response had come"
        : "the connection ended before there was a response";
    const cause = failure ?? undefined;
    return new RequestFailedError(message, { phase, reason: "disconnected", method, url, cause });
  }
  const { reason, message, cause } = failure;
  if (reason === "aborted") return cause;
  const isSending = reason === "timeout" || reason === "request-body";
  return new RequestFailedError(message, {
    phase: isSending ? "send" : phase,
    reason,
    method,
    url,
    cause,
  });
}

/**
 * Whether the server says that it does not accept the certificate of this side, or misses one. With TLS 1.3 it says so when the handshake
 * is over for this side (RFC 8446 §4.4.2.4 and figure 1).
 */
function isRefusal(failure: Error | null): failure is TlsError {
  if (!(failure instanceof TlsError)) return false;
  return failure.reason === "certificate-required" || failure.reason === "rejected";
}

/** What whoever waits for a head is told of `error`. @param failure the connection's. */
export function headFailure(
  request: OutgoingRequest,
  error: unknown,
  failure: Error | null,
): unknown {
  if (error instanceof Stopped) return connectionGone(request, "send", error);
  if (error instanceof BrokenResourceError) return connectionGone(request, "send", failure);
  if (!(error instanceof ProtocolError)) return error;
  if (error.rule === "message-cut") return connectionGone(request, "head", null);
  return responseFailure(request, "protocol", `the response breaks HTTP: ${error.message}`, error);
}

/** There is no head, or none that can be taken. */
export function responseFailure(
  { method, url }: OutgoingRequest,
  reason: FailureReason,
  message: string,
  cause?: unknown,
): RequestFailedError {
  return new RequestFailedError(message, { phase: "head", reason, method, url, cause });
}
