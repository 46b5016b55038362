/** Why there are no events: the status, the type of the response, or an event over its limit. */
export type EventStreamFailure = "status" | "content-type" | "too-large";

/** A response is no event stream, or one that cannot be read. */
export class EventStreamError extends Error {
  /** The name of the class. */
  override readonly name: string = "EventStreamError";
  /** What is wrong. */
  readonly reason: EventStreamFailure;
  /** Of the response; 0 if there is none. */
  readonly status: number;

  /** Made by who reads events. */
  constructor(reason: EventStreamFailure, status: number, message: string) {
    super(message);
    this.reason = reason;
    this.status = status;
  }
}
