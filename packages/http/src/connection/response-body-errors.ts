import type { BodyErrors } from "./incoming-body.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { type FailureReason, RequestFailedError } from "./request-failed-error.ts";

/** How who awaits a response is told what is wrong with its body. */
export function responseBodyErrors({ method, url }: OutgoingRequest): BodyErrors {
  const failed = (reason: FailureReason, message: string, cause?: unknown): RequestFailedError =>
    new RequestFailedError(message, { phase: "body", reason, method, url, cause });
  return {
    name: "response body",
    detached: "the connection was given back",
    cut: (_operation, cause) =>
      failed("disconnected", "the connection ended before all of the response had come", cause),
    broken: (error) => failed("protocol", "the body of the response breaks HTTP", error),
    late: () => failed("timeout", "more of the response did not come within bodyMs"),
    tooLarge: (bytesMax) => failed("too-large", `the response has more than ${bytesMax} bytes`),
  };
}
