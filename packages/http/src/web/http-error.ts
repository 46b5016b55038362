import { fieldsFrom } from "./fields-from.ts";
import type { HeadersSource } from "./headers-source.ts";

/** Marks the errors that are answers; the registry symbol is the same in two loaded copies of the package. */
const BRAND: unique symbol = Symbol.for("arborio.http-error") as never;

/** Options of `HttpError`. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Fields for the response: `{ "retry-after": "10" }`. Default none. */
  readonly headers?: HeadersSource;
  /** Whether the client may read the message. Default: `true` for statuses below 500, which tell the client about its own fault. */
  readonly expose?: boolean;
}

/**
 * A failure that is an answer: thrown by a handler, or by what it calls, it becomes the response with this status. The message is
 * sent only if `expose` is true; `cause` never is.
 *
 * @example A thing that is not there
 * ```ts
 * import { HttpError } from "@arborio/http";
 *
 * const error = new HttpError(404, "no such item");
 * console.assert(error.status === 404 && error.expose);
 * console.assert(!new HttpError(503, "the database of Mr. Smith is full").expose);
 * ```
 *
 * @throws RangeError if the status is none of an error: a whole number from 400 to 599; TypeError if a field cannot be sent.
 *
 * Counterpart: `aiohttp.web.HTTPException`.
 */
export class HttpError extends Error {
  /** Also of another loaded copy of the package, and errors that must be of another class besides. */
  static override [Symbol.hasInstance](candidate: unknown): boolean {
    if (this !== HttpError) return Function.prototype[Symbol.hasInstance].call(this, candidate);
    return typeof candidate === "object" && candidate !== null && BRAND in candidate;
  }

  /** `"HttpError"`, or the name of the class below it. */
  override readonly name: string = "HttpError";
  /** 400 to 599. */
  readonly status: number;
  /** Fields for the response, or `undefined`. */
  readonly headers: HeadersSource | undefined;
  /** Whether the message may be sent. */
  readonly expose: boolean;

  /** An error whose answer has this status. */
  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    if (!(Number.isInteger(status) && status >= 400 && status <= 599)) {
      throw new RangeError(
        `new HttpError: got status ${String(status)}, needs a whole number from 400 to 599`,
      );
    }
    // Here, where somebody can still be told, and not when the response is made.
    if (options.headers !== undefined) fieldsFrom("new HttpError({ headers })", options.headers);
    this.status = status;
    this.headers = options.headers;
    this.expose = options.expose ?? status < 500;
  }
}
Object.defineProperty(HttpError.prototype, BRAND, { value: true });

/**
 * The body of a request is not the JSON that the handler asked for: 400. It is a `SyntaxError`, which the web's `json()` throws, and an
 * `HttpError`.
 */
export class InvalidJsonError extends SyntaxError {
  /** `"InvalidJsonError"`. */
  override readonly name: string = "InvalidJsonError";
  /** 400. */
  readonly status: number = 400;
  /** None. */
  readonly headers: HeadersSource | undefined = undefined;
  /** The message is about what the client sent. */
  readonly expose: boolean = true;
}
Object.defineProperty(InvalidJsonError.prototype, BRAND, { value: true });

/** The body of a request is over its limit: 413. */
export class BodyTooLargeError extends HttpError {
  /** `"BodyTooLargeError"`. */
  override readonly name: string = "BodyTooLargeError";
  /** The limit, in bytes. */
  readonly bytesMax: number;

  /** The limit, and what to say instead of the usual message. */
  constructor(bytesMax: number, message?: string) {
    super(413, message ?? `the body is larger than ${bytesMax} bytes`);
    this.bytesMax = bytesMax;
  }
}
