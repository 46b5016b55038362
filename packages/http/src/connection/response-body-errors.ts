import { ProtocolError } from "../protocol/protocol-error.ts";
import type { BodyErrors } from "./incoming-body.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { type FailureReason, RequestFailedError } from "./request-failed-error.ts";
import { connectionGone } from "./stopped.ts";

/** How who awaits a response is told what is wrong with its body. */
export function responseBodyErrors(request: OutgoingRequest): BodyErrors {
  return new ResponseBodyErrors(request);
}

/** One object for a response, and no closures. */
class ResponseBodyErrors implements BodyErrors {
  readonly #request: OutgoingRequest;

  constructor(request: OutgoingRequest) {
    this.#request = request;
  }

  get name(): string {
    return "response body";
  }

  get detached(): string {
    return "the response was closed";
  }

  cut(_operation: string, cause: Error | null): Error {
    return connectionGone(this.#request, "body", cause) as Error;
  }

  broken(error: unknown): unknown {
    if (error instanceof ProtocolError && error.rule === "message-cut") return this.cut("", null);
    const why = error instanceof Error ? error.message : String(error);
    return this.#failed("protocol", `the body of the response breaks HTTP: ${why}`, error);
  }

  late(): Error {
    const { bodyMs } = this.#request.timeouts;
    return this.#failed("timeout", `more of the response did not come within ${bodyMs} ms`);
  }

  tooLarge(bytesMax: number): Error {
    return this.#failed("too-large", `the response has more than ${bytesMax} bytes`);
  }

  #failed(reason: FailureReason, message: string, cause?: unknown): RequestFailedError {
    const { method, url } = this.#request;
    return new RequestFailedError(message, { phase: "body", reason, method, url, cause });
  }
}
