/** How far connecting had come. */
export type DialPhase = "connect" | "proxy" | "tls";

/** What was in the way. */
export type DialFailure =
  | "unreachable"
  | "disconnected"
  | "timeout"
  | "protocol"
  | "refused-by-proxy"
  | "certificate"
  | "tls"
  | "refused";

/** No connection could be made. */
export class DialError extends Error {
  override readonly name: string = "DialError";
  readonly phase: DialPhase;
  readonly reason: DialFailure;

  constructor(phase: DialPhase, reason: DialFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.phase = phase;
    this.reason = reason;
  }
}
