import { ProtocolError } from "../protocol/protocol-error.ts";
import type { BodyErrors } from "./incoming-body.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { type FailureReason, RequestFailedError } from "./request-failed-error.ts";
import { connectionGone } from "./stopped.ts";

/** How who awaits a response is told what is wrong with its body. */
export function responseBodyErrors(request: OutgoingRequest): BodyErrors {
  const { method, url } = request;
  const failed = (reason: FailureReason, message: string, cause?: unknown): RequestFailedError =>
    new RequestFailedError(message, { phase: "body", reason, method, url, cause });
  return {
    name: "response body",
    detached: "the response was closed",
    cut: (_operation, cause) => connectionGone(request, "body", cause),
    broken: (error) =>
      error instanceof ProtocolError && error.rule === "message-cut"
        ? connectionGone(request, "body", null)
        : failed(
            "protocol",
            `the body of the response breaks HTTP: ${error instanceof Error ? error.message : String(error)}`,
            error,
          ),
    late: () =>
      failed("timeout", `more of the response did not come within ${request.timeouts.bodyMs} ms`),
    tooLarge: (bytesMax) => failed("too-large", `the response has more than ${bytesMax} bytes`),
  };
}
