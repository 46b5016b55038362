import { wallNow } from "arborio/lowlevel";
import { type AccessLogEntry, createLineWriter } from "./access-log-line.ts";
import { type ClientOf, createClientOf, type TrustProxies } from "./forwarded.ts";
import type { ServerTrace, TracedEnd, TracedRequest } from "./server-trace.ts";

/** Options of `accessLog`. */
export interface AccessLogOptions {
  /**
   * How a line looks: `"common"` and `"combined"` as Apache's and nginx's, `"json"`, or a template, in which `%a` is the address of the
   * client, `%t` when the request came, `%r` its first line, `%s` the status, `%b` the bytes of the body that were sent, `%T` seconds,
   * `%Tf` seconds with their parts, `%D` microseconds until all was sent, `%{Name}i` a field of the request, `%{Name}o` one of the
   * response, and `%%` a percent sign. Default `"combined"`.
   */
  readonly format?: string;
  /** Gets each line, without line end. Called synchronously, so it must be quick. Default `console.log`. */
  readonly sink?: (line: string) => void;
  /** Gets each entry, instead of a line for `sink`. */
  readonly write?: (entry: AccessLogEntry) => void;
  /** From whom `Forwarded` or `X-Forwarded-…` is believed. Default: nobody. */
  readonly trustProxies?: TrustProxies;
}

/** Status of a request whose client left before there was a response: nginx's own. */
const CLIENT_LEFT = 499;

/**
 * A log of what a server has answered: one line for each request when it is over, whether its response was sent, its client left, its
 * handler failed, or it was refused before a handler saw it. Whatever a client sends, it cannot begin a line of its own or forge a
 * field of one.
 *
 * @returns hooks for the server's `trace`.
 * @throws TypeError if the options are none; RangeError if the format is none; TypeError, RangeError as `createClientOf`.
 *
 * Counterpart: `aiohttp.web_log.AccessLogger`.
 *
 * @example Lines of JSON
 * ```ts
 * import { accessLog } from "@arborio/http";
 *
 * const trace = accessLog({ format: "json", sink: (line) => console.log(line) });
 * // await using server = await openServer(handler, { port: 8000, trace });
 * console.assert(typeof trace.requestEnd === "function");
 * ```
 */
export function accessLog(options: AccessLogOptions = {}): ServerTrace {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `accessLog: got a ${typeof options}, needs options, and gives hooks for { trace }: accessLog({ format: "json" })`,
    );
  }
  const { format = "combined", trustProxies = 0 } = options;
  const clientOf = createClientOf(trustProxies);
  const write = options.write ?? lineSink(format, options.sink);
  return { requestEnd: (request, end) => write(entryOf(request, end, clientOf)) };
}

function lineSink(format: string, sink?: (line: string) => void): (entry: AccessLogEntry) => void {
  const lineOf = createLineWriter(format);
  if (sink !== undefined) return (entry) => sink(lineOf(entry));
  return (entry) => console.log(lineOf(entry));
}

function entryOf(request: TracedRequest, end: TracedEnd, clientOf: ClientOf): AccessLogEntry {
  const { connection, scheme, head, startedAt } = request;
  const durationMs = end.endedAt - startedAt;
  const hasLeft = end.outcome === "client-left" && end.status === 0;
  return {
    request,
    end,
    client: clientOf({
      peer: connection.peer,
      scheme,
      host: head?.authority ?? "",
      fields: head?.fields ?? [],
    }),
    // The time of day comes in whole milliseconds.
    at: Math.round(wallNow() - durationMs),
    durationMs,
    status: hasLeft ? CLIENT_LEFT : end.status,
  };
}
