import type { ExchangeEnd, SentRequest } from "../client/client-trace.ts";
import { firstField } from "../web/field-names.ts";
import { methodAttributes, type TraceAttributes, withoutSecrets } from "./trace-attributes.ts";

/**
 * What is known of a request of a client when it is sent, for the attributes of a span or a metric.
 *
 * Source: OpenTelemetry semantic conventions, HTTP client spans.
 *
 * @example A span for each request
 * ```ts
 * import { type ClientTrace, sentAttributes } from "@arborio/http";
 *
 * const trace: ClientTrace = {
 *   requestStart: (request) => console.log("begins", sentAttributes(request)),
 * };
 * console.assert(trace.requestStart !== undefined);
 * ```
 */
export function sentAttributes({ method, url, fields, resends }: SentRequest): TraceAttributes {
  const { protocol, hostname, port, pathname, search, origin } = new URL(url);
  const isTls = protocol === "https:";
  const query = search === "" ? "" : `?${withoutSecrets(search.slice(1))}`;
  const attributes: TraceAttributes = {
    ...methodAttributes(method),
    "url.full": `${origin}${pathname}${query}`,
    "url.scheme": isTls ? "https" : "http",
    "network.protocol.name": "http",
    "server.address": hostname.replace(/^\[|\]$/g, ""),
    "server.port": port === "" ? (isTls ? 443 : 80) : Number(port),
  };
  if (resends > 0) attributes["http.request.resend_count"] = resends;
  const agent = firstField(fields, "user-agent");
  if (agent !== null) attributes["user_agent.original"] = agent;
  return attributes;
}

/**
 * What is known of a request of a client when it is over, beside what was known before.
 *
 * @param error what `requestError` was told, if it was.
 */
export function exchangeAttributes(end: ExchangeEnd, error?: unknown): TraceAttributes {
  const { response } = end;
  const attributes: TraceAttributes = { "http.response.body.size": end.bytesReceived };
  if (response !== null) {
    attributes["http.response.status_code"] = response.status;
    attributes["network.protocol.version"] = response.httpVersion;
  }
  const type = errorType(end, error);
  if (type !== "") attributes["error.type"] = type;
  return attributes;
}

/** Of few different values, as the conventions want it: also a 4xx is an error of a client. */
function errorType({ response, outcome }: ExchangeEnd, error: unknown): string {
  const reason = (error as { readonly reason?: unknown } | undefined)?.reason;
  if (error instanceof Error) return typeof reason === "string" ? reason : error.name;
  if (error !== undefined || outcome === "failed") return "_OTHER";
  if (outcome === "cancelled") return outcome;
  return response !== null && response.status >= 400 ? String(response.status) : "";
}
