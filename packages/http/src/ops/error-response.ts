import { ExceptionGroup, TimeoutError } from "arborio";
import { preferredType } from "../negotiation/preferred-type.ts";
import { ProtocolError } from "../protocol/protocol-error.ts";
import { REASONS } from "../protocol/reasons.ts";
import { escapeHtml } from "../web/escape-html.ts";
import { HttpError } from "../web/http-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** Options of `errorResponse`. */
export interface ErrorResponseOptions {
  /** Sends the client what was thrown, with its stack and causes. For development only. Default `false`. */
  readonly debug?: boolean;
}

/**
 * The response that an error becomes, when a handler has thrown it: an `HttpError` its status, its fields and, if it may be seen, its
 * message; a `ProtocolError` likewise; a `TimeoutError` 504; everything else 500. A group of errors with one error in it counts as that
 * error. Nothing else of an error is told, unless `debug` is on.
 *
 * The body is text, HTML or a problem in JSON (RFC 9457), as the client likes it.
 *
 * @param error anything; this function never throws.
 * @param request whose `Accept` tells; `null` if there was none that could be read: text.
 *
 * @example A page for people, JSON for programs
 * ```ts
 * import { errorResponse, HttpError } from "@arborio/http";
 *
 * const request = new Request("http://localhost/", { headers: { accept: "application/json" } });
 * const response = errorResponse(new HttpError(404, "no such item"), request);
 * console.assert(response.status === 404);
 * console.assert((await response.json()).detail === "no such item");
 * ```
 */
export function errorResponse(
  error: unknown,
  request: Request | null,
  options: ErrorResponseOptions = {},
): HttpResponse {
  const accept = request?.headers.get("accept") ?? null;
  const type = preferredType(accept, TYPES) ?? "text/plain";
  try {
    return respond(answerTo(error, options.debug ?? false), type);
  } catch {
    // The error itself cannot be told: its fields cannot be sent, or it cannot be written as text.
    return respond(answerTo(undefined, false), type);
  }
}

/** Whether an error is an answer to what the client did, and so nothing to report: an `HttpError` or `ProtocolError` below 500. */
export function isClientError(error: unknown): boolean {
  const single = singleError(error);
  return (single instanceof HttpError || single instanceof ProtocolError) && single.status < 500;
}

function respond(answer: Answer, type: PageType): HttpResponse {
  const headers: [string, string][] = [
    ["content-type", CONTENT_TYPES[type]],
    ["vary", "accept"],
    // The message may hold what the client sent: nobody may take it for a page or a program.
    ["x-content-type-options", "nosniff"],
    ["content-security-policy", "default-src 'none'"],
  ];
  if (answer.headers !== undefined) {
    for (const field of new Headers(answer.headers)) {
      if (!BODY_FIELDS.has(field[0])) headers.push(field);
    }
  }
  return new HttpResponse(bodyOf(type, answer), { status: answer.status, headers });
}

const TYPES = ["text/plain", "text/html", "application/problem+json", "application/json"] as const;
type PageType = (typeof TYPES)[number];

const CONTENT_TYPES: Readonly<Record<PageType, string>> = {
  "text/plain": "text/plain;charset=utf-8",
  "text/html": "text/html;charset=utf-8",
  "application/problem+json": "application/problem+json",
  "application/json": "application/json",
};

/** Fields that tell of the body, which is not the error's. */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
]);

interface Answer {
  readonly status: number;
  readonly title: string;
  /** `""`: nothing is to be told. */
  readonly detail: string;
  readonly headers: HeadersSource | undefined;
}

function answerTo(thrown: unknown, debug: boolean): Answer {
  const error = singleError(thrown);
  let status = 500;
  let detail = "";
  let headers: HeadersSource | undefined;
  if (error instanceof HttpError) {
    ({ status, headers } = error);
    if (error.expose) detail = error.message;
  } else if (error instanceof ProtocolError) {
    ({ status } = error);
    if (status < 500) detail = error.message;
  } else if (error instanceof TimeoutError) {
    status = 504;
  }
  if (debug && status >= 500) detail = describe(thrown);
  return { status, title: REASONS[status] ?? "Error", detail, headers };
}

/** What a task group throws when one task failed is that task's error. */
function singleError(error: unknown): unknown {
  if (!(error instanceof ExceptionGroup)) return error;
  const leaves = error.leaves();
  return leaves.length === 1 ? leaves[0] : error;
}

function bodyOf(type: PageType, { status, title, detail }: Answer): string {
  const heading = `${status} ${title}`;
  if (type === "text/plain") return `${heading}${detail === "" ? "" : `: ${detail}`}\n`;
  if (type === "text/html") return page(heading, detail);
  const problem = { type: "about:blank", title, status };
  return JSON.stringify(detail === "" ? problem : { ...problem, detail });
}

function page(heading: string, detail: string): string {
  const text = detail === "" ? "" : `<pre>${escapeHtml(detail)}</pre>\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${heading}</title>
<h1>${heading}</h1>
${text}</html>
`;
}

/** Causes that are followed: chains of them may be circles. */
const CAUSES_MAX = 8;

/** An error with its stack and its causes, for who develops. */
function describe(error: unknown): string {
  const parts: string[] = [];
  let at = error;
  for (let count = 0; at !== undefined && count < CAUSES_MAX; count++) {
    parts.push(textOf(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join("\ncaused by ");
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const heading = `${error.name}: ${error.message}`;
  const stack = error.stack ?? "";
  // Some runtimes begin the stack with the message, others do not.
  return stack.includes(error.message) ? stack : `${heading}\n${stack}`;
}
