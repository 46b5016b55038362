/** How far a request had come when it failed. */
export type FailurePhase =
  /** It waited for a free connection. */
  | "pool"
  /** The name was looked up, or the server or proxy connected to. */
  | "connect"
  /** A proxy was asked to connect on. */
  | "proxy"
  /** TLS was being agreed upon. */
  | "tls"
  /** The request was being sent. */
  | "send"
  /** The head of the response was waited for. */
  | "head"
  /** The body of the response was being received. */
  | "body"
  /** A redirect was to be followed. */
  | "redirect";

/** What went wrong. */
export type FailureReason =
  /** A deadline of the client passed. */
  | "timeout"
  /** No connection could be made. */
  | "unreachable"
  /** The other side ended the connection before the message was complete, or it broke. */
  | "disconnected"
  /** What came breaks the protocol, or a limit of it. */
  | "protocol"
  /** The certificate of the other side is not to be trusted, or not the one that was asked for. */
  | "certificate"
  /** TLS could not be agreed upon. */
  | "tls"
  /** The proxy refused. */
  | "refused-by-proxy"
  /** Something on this side forbids it: a guard, a limit of rate, a circuit breaker. */
  | "refused"
  /** More came than is to be taken. */
  | "too-large"
  /** What came cannot be decoded. */
  | "encoding"
  /** The body of the request failed while it was made, or cannot be sent again. */
  | "request-body"
  /** There was a redirect, and `{ redirect: "error" }` allows for none. */
  | "redirect"
  /** A redirect leads to what is no URL, or does not say where. */
  | "redirect-url"
  /** A redirect leads to another scheme than `http:` and `https:`. */
  | "redirect-scheme"
  /** There were more redirects than `redirectsMax`. */
  | "too-many-redirects"
  /** The client was closed. */
  | "closed";

/** Options of `RequestFailedError`. */
export interface RequestFailedOptions {
  /** How far it had come. */
  readonly phase: FailurePhase;
  /** What went wrong. */
  readonly reason: FailureReason;
  /** Its method. */
  readonly method: string;
  /** Its URL, without credentials. */
  readonly url: string;
  /** What it came from. */
  readonly cause?: unknown;
}

/** Reasons that lie on this side. */
const LOCAL_REASONS: ReadonlySet<FailureReason> = new Set(["refused", "request-body", "closed"]);

/**
 * A request got no response, or not all of it. `phase` tells how far it had come, `reason` what went wrong, `isLocal` on which side. A
 * response with a status of failure is none of these: see `StatusError`.
 *
 * Counterpart: `aiohttp.ClientConnectionError`, `ClientPayloadError` and those below them.
 */
export class RequestFailedError extends Error {
  /** `"RequestFailedError"`. */
  override readonly name: string = "RequestFailedError";
  /** How far it had come. */
  readonly phase: FailurePhase;
  /** What went wrong. */
  readonly reason: FailureReason;
  /** Its method. */
  readonly method: string;
  /** Its URL, without credentials. */
  readonly url: string;

  /** A failure of a request: `message` says what happened. */
  constructor(message: string, { phase, reason, method, url, cause }: RequestFailedOptions) {
    super(`${method} ${url}: ${message}`, cause === undefined ? undefined : { cause });
    this.phase = phase;
    this.reason = reason;
    this.method = method;
    this.url = url;
  }

  /** Whether this side is at fault, or the network and the other side. */
  get isLocal(): boolean {
    return LOCAL_REASONS.has(this.reason);
  }
}
