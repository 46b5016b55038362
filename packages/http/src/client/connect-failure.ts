import { Cancelled, TimeoutError } from "arborio";
import {
  type FailurePhase,
  type FailureReason,
  RequestFailedError,
} from "../connection/request-failed-error.ts";
import { DialError } from "../dial/dial-error.ts";
import type { DialProgress } from "../dial/dialer.ts";
import { PoolError } from "../pool/pool-error.ts";
import type { ClientRequest } from "./client-request.ts";

/** What who sends a request is told if there is no connection for it. @param progress how far dialing came, in `connectMs` at most. */
export function connectFailure(
  error: unknown,
  progress: DialProgress,
  { method, url }: ClientRequest,
  connectMs: number,
): unknown {
  const failed = (phase: FailurePhase, reason: FailureReason, message: string, cause: unknown) =>
    new RequestFailedError(message, { phase, reason, method, url, cause });
  if (error instanceof Cancelled) return error;
  if (error instanceof PoolError) return failed("pool", error.reason, error.message, undefined);
  if (error instanceof TimeoutError)
    return failed(
      progress.phase,
      "timeout",
      `no connection within ${connectMs} ms (connectMs)`,
      error,
    );
  if (!(error instanceof DialError)) return error;
  const { phase, reason, message, cause } = error;
  return failed(phase, reason, message, cause ?? error);
}
