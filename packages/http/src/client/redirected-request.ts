/**
 * Which request follows upon a redirect: RFC 9110 §15.4, and what browsers and aiohttp have made of it. Decides only; nothing is sent here.
 *
 * Invariant: a value of `Authorization`, `Cookie`, `Proxy-Authorization` or `Host`, or a request's own client certificate, never goes to another origin (scheme, host
 * or port) than the one that it was given for. Redirects that come back do not get it again.
 */
import { type FailureReason, RequestFailedError } from "../connection/request-failed-error.ts";
import type { FieldList } from "../protocol/message.ts";
import { firstField } from "../web/field-names.ts";
import { authorizationOf } from "./authorization.ts";
import type { FetchOptions } from "./client-options.ts";
import { ClientRequest } from "./client-request.ts";
import type { ClientResponse } from "./client-response.ts";
import { fieldsWithout } from "./request-fields.ts";
import { type RequestUrl, requestUrlOf, shownUrl } from "./request-url.ts";

/** The fields with the credentials that were given for the new URL, if some were. */
export type Reauthorize = (
  fields: FieldList,
  target: RequestUrl,
  request: ClientRequest,
) => FieldList;

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Fields for one origin alone. */
export const ORIGIN_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "host",
  "proxy-authorization",
]);

/** Fields that tell of a body. */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
]);

/** Whether it sends the client elsewhere. */
export function isRedirect({ status, fields }: ClientResponse): boolean {
  return STATUSES.has(status) && (firstField(fields, "location") ?? "") !== "";
}

/**
 * The request that `response`, a redirect, asks for. `request` is what was asked for: before middleware changed it.
 *
 * @throws RequestFailedError if it cannot be made.
 */
export function redirectedRequest(
  request: ClientRequest,
  response: ClientResponse,
  reauthorized: Reauthorize,
): ClientRequest {
  const target = targetOf(request, response);
  const from = response.request.target.origin;
  const isElsewhere = target.origin !== from || target.origin !== request.target.origin;
  let { method, fields, payload, payloadBytes } = request;
  if (becomesGet(method, response.status)) {
    method = "GET";
    payload = null;
    payloadBytes = undefined;
    fields = fieldsWithout(fields, BODY_FIELDS);
  } else if (!request.isReplayable) {
    throw redirectFailure(
      request,
      "request-body",
      `a redirect (${response.status}) asks for the body again, and a stream can be sent only once; give the body as text, bytes, a form or a Blob, or set { redirect: "manual" }`,
    );
  }
  if (isElsewhere) fields = fieldsWithout(fields, ORIGIN_FIELDS);
  const options = isElsewhere ? withoutIdentity(request.options) : request.options;
  fields = reauthorized(fields, target, request);
  const isReplayable = payload === null || request.isReplayable;
  return new ClientRequest({
    ...request.parts,
    method,
    target,
    fields,
    payload,
    payloadBytes,
    isReplayable,
    options,
  });
}

/** Without what the request proves by TLS who it comes from, and what was agreed upon with that server alone. */
function withoutIdentity(options: FetchOptions): FetchOptions {
  if (options.tls?.identity === undefined && options.tls?.session === undefined) return options;
  const { identity: _identity, session: _session, ...tls } = options.tls;
  return { ...options, tls };
}

/** 303: what is to be seen is elsewhere. 301 and 302 are taken for that after POST, as they always were. */
function becomesGet(method: string, status: number): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

function targetOf(request: ClientRequest, response: ClientResponse): RequestUrl {
  // The parser takes but one.
  const location = firstField(response.fields, "location") ?? "";
  const text = bytesEncoded(location);
  if (!URL.canParse(text, response.url)) {
    throw redirectFailure(
      request,
      "redirect-url",
      `a redirect leads to ${shownUrl(location)}, which is no URL`,
    );
  }
  const url = new URL(text, response.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw redirectFailure(
      request,
      "redirect-scheme",
      `a redirect leads to a URL of ${url.protocol}, needs http: or https:`,
    );
  }
  if (url.hash === "") url.hash = request.fragment;
  const target = requestUrlOf(url);
  requireSendable(request, target);
  return target;
}

/** What the server makes up is no mistake of the caller. */
function requireSendable(request: ClientRequest, { credentials, href }: RequestUrl): void {
  try {
    if (credentials !== null) authorizationOf(credentials);
  } catch {
    const message = `a redirect leads to ${shownUrl(href)} with credentials that cannot be sent`;
    throw redirectFailure(request, "redirect-url", message);
  }
}

/** Bytes beyond ASCII go on as the bytes that they are, whatever encoding they were meant in. */
function bytesEncoded(location: string): string {
  return location.replace(
    /[\x80-\xff]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A redirect that is not followed, as an error. */
export function redirectFailure(
  { method, url }: ClientRequest,
  reason: FailureReason,
  message: string,
): RequestFailedError {
  return new RequestFailedError(message, { phase: "redirect", reason, method, url });
}
