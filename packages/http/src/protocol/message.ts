/**
 * What the engine knows of messages: the vocabulary that parsers give and serializers take. Pure data; nothing here waits, and
 * nothing here knows of sockets, tasks or the web's `Request`.
 */

/** Versions that are spoken. Anything else is refused. */
export type HttpVersion = "1.0" | "1.1";

/**
 * Field lines (RFC 9110 §5) in the order of the wire: names and values in turn, so `[name, value, name, value]`. Names as they were
 * sent; values without the white space around them; each character is one byte (ISO 8859-1).
 */
export type FieldList = readonly string[];

/**
 * How the end of a body is found (RFC 9112 §6): its length in bytes, 0 if there is none; `"chunked"`: it tells itself; `"close"`: it is
 * what comes until the connection ends (responses only).
 */
export type BodyFraming = number | "chunked" | "close";

/** What requests and responses have in common. */
export interface MessageHead {
  /** The version that the sender speaks. */
  readonly version: HttpVersion;
  /** All fields, as they came. */
  readonly fields: FieldList;
  /** How the end of the body is found; 0: there is no body. */
  readonly framing: BodyFraming;
  /** Whether the connection may carry another message after this one: RFC 9112 §9.3. */
  readonly keepAlive: boolean;
}

/** Everything before the body of a request. */
export interface RequestHead extends MessageHead {
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** As sent; its form (RFC 9112 §3.2) fits the method. */
  readonly target: string;
  /** The authority: of the target if that has one, else of `Host`; `""` if an HTTP/1.0 request has neither. */
  readonly authority: string;
  /** Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /** The protocols of `Upgrade`, if `Connection` names it; `""` otherwise (RFC 9110 §7.8). */
  readonly upgrade: string;
}

/** Everything before the body of a response. */
export interface ResponseHead extends MessageHead {
  /** 100 to 999. */
  readonly status: number;
  /** The phrase behind the status, which means nothing (RFC 9112 §4); often empty. */
  readonly reason: string;
}
