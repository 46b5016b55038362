/** How a client comes to the head of the final response: as long as there is hope for one, and past those that come before it. */
import type { ResponseHead } from "../protocol/message.ts";
import type { Awaited } from "./awaited.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { connectionGone, responseFailure } from "./stopped.ts";
import type { Upload } from "./upload.ts";
import type { WireInlet } from "./wire-inlet.ts";

/** So many interim responses are taken for one request: a server needs one or two, and must not keep a client for ever. */
const INTERIM_RESPONSES_MAX = 32;

/** What there is of a connection that waits for a head. */
export interface HeadWaiting {
  readonly inlet: WireInlet;
  readonly awaited: Awaited;
  /** That still goes on, or has not begun. */
  readonly upload: Upload | null;
}

/** Whether nothing comes behind it but its body, or another protocol. */
export function isFinal({ status }: ResponseHead, { upgrade }: OutgoingRequest): boolean {
  return status >= 200 || (status === 101 && upgrade !== "");
}

/** @throws RequestFailedError if no response will come. */
export function requireHope(
  { inlet, awaited, upload }: HeadWaiting,
  request: OutgoingRequest,
): void {
  if (inlet.ended) throw connectionGone(request, "head", inlet.failure);
  if (!awaited.isOverdue) return;
  if (upload?.isWaiting !== true) {
    throw responseFailure(
      request,
      "timeout",
      `there was no response within ${request.timeouts.headMs} ms`,
    );
  }
  // A server that does not know the expectation says nothing; it gets the body now (RFC 9110 §10.1.1).
  awaited.begin("head", Infinity);
  upload.proceed();
}

/**
 * An interim response (RFC 9110 §15.2). A 100 calls for the body that waits for it.
 *
 * @param count of them, with this one.
 * @throws RequestFailedError if it is none that is taken.
 */
export function takeInterim(
  { awaited, upload }: HeadWaiting,
  request: OutgoingRequest,
  head: ResponseHead,
  count: number,
): void {
  if (head.status === 101)
    throw responseFailure(request, "protocol", "a 101, but no other protocol was asked for");
  if (count > INTERIM_RESPONSES_MAX) {
    throw responseFailure(
      request,
      "protocol",
      `more than ${INTERIM_RESPONSES_MAX} interim responses`,
    );
  }
  if (head.status === 100 && upload?.isWaiting === true) {
    awaited.begin("head", Infinity);
    upload.proceed();
  }
  request.onInterim?.(head);
}
