/** One event of an event stream, or a comment in it. Only what is given is sent; each string may be empty. */
export interface ServerSentEvent {
  /** What the listener gets. May have several lines; each line end, CR LF, CR or LF, arrives as LF. Without it no listener is called. */
  readonly data?: string;
  /** Which listeners get it: those of this name; without it, those of `message`. One line. */
  readonly event?: string;
  /** From now on the client's last event id, which it sends when it comes back. `""` takes it away. One line, without NUL. */
  readonly id?: string;
  /** Milliseconds that the client waits before it connects again, from now on. A whole number from 0 on. */
  readonly retryMs?: number;
  /** For those who look at the stream; no listener sees it. May have several lines. */
  readonly comment?: string;
}

/**
 * An event as it is sent: lines of `text/event-stream`, with the empty line that ends it. Nothing in the values can end a field or
 * begin another.
 *
 * Source: HTML Standard §9.2.5, "Parsing an event stream".
 *
 * @throws TypeError if nothing is given, a value is no string, or `event` or `id` holds what would end the field; RangeError if
 *   `retryMs` is no whole number from 0 on.
 *
 * @example Two lines of data
 * ```ts
 * import { encodeEvent } from "@arborio/http/protocol";
 *
 * console.assert(encodeEvent({ id: "7", data: "a\nb" }) === "id: 7\ndata: a\ndata: b\n\n");
 * ```
 */
export function encodeEvent(event: ServerSentEvent): string {
  let lines = "";
  if (event.comment !== undefined) lines += prefixed(": ", "comment", event.comment);
  if (event.event !== undefined)
    lines += `event: ${requireOneLine("event", event.event, ENDS_LINE)}\n`;
  if (event.id !== undefined) lines += `id: ${requireOneLine("id", event.id, ENDS_ID)}\n`;
  if (event.retryMs !== undefined) lines += `retry: ${requireRetry(event.retryMs)}\n`;
  if (event.data !== undefined) lines += prefixed("data: ", "data", event.data);
  if (lines === "") {
    throw new TypeError(
      "encodeEvent: got an event without content, needs at least one of data, event, id, retryMs and comment",
    );
  }
  return `${lines}\n`;
}

const ENDS_LINE = /[\r\n]/;
// A client ignores an id with NUL, so it would come back with an older one (HTML Standard §9.2.6).
const ENDS_ID = /[\r\n\0]/;
const LINE_END = /\r\n|\r|\n/g;

function prefixed(prefix: string, name: string, text: string): string {
  requireString(name, text);
  const rest = ENDS_LINE.test(text) ? text.replace(LINE_END, `\n${prefix}`) : text;
  return `${prefix}${rest}\n`;
}

function requireOneLine(name: string, value: string, refused: RegExp): string {
  requireString(name, value);
  const at = value.search(refused);
  if (at < 0) return value;
  const code = value.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  throw new TypeError(
    `encodeEvent({ ${name} }): got U+${code} at index ${at}, needs one line${name === "id" ? " without NUL" : ""}`,
  );
}

function requireString(name: string, value: unknown): void {
  if (typeof value !== "string") {
    throw new TypeError(
      `encodeEvent({ ${name} }): got ${value === null ? "null" : typeof value}, needs a string; JSON.stringify makes one of a value`,
    );
  }
}

function requireRetry(retryMs: number): number {
  if (Number.isSafeInteger(retryMs) && retryMs >= 0) return retryMs;
  throw new RangeError(
    `encodeEvent({ retryMs }): got ${String(retryMs)}, needs a whole number of milliseconds from 0 on`,
  );
}
