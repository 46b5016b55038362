import type { IpAddress, SocketAddress } from "arborio/net";
import { firstField } from "../web/field-names.ts";
import { type ClientOf, createClientOf } from "./forwarded.ts";
import type { TracedEnd, TracedRequest } from "./server-trace.ts";

/** Attributes under the names of OpenTelemetry's semantic conventions. */
export type TraceAttributes = Record<string, string | number>;

/** Methods that are told by name: RFC 9110, PATCH of RFC 5789, QUERY. Others would give a client the say over how many names there are. */
const METHODS: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "QUERY",
  "TRACE",
]);

/** Parameters of signed URLs, whose values open what they lead to: those that the conventions list, and what AWS signs by since (Signature Version 4). */
const SECRET_PARAMETERS =
  /(^|&)(AWSAccessKeyId|Signature|sig|X-Goog-Signature|[Xx]-[Aa]mz-(?:[Cc]redential|[Ss]ecurity-[Tt]oken|[Ss]ignature))=[^&]*/g;

const NOBODY_TRUSTED: ClientOf = createClientOf(0);

/**
 * What is known of a request when it begins, for the attributes of a span or a metric.
 *
 * @param clientOf finds the client behind proxies; default: the connection's other end.
 *
 * Source: OpenTelemetry semantic conventions, HTTP server spans.
 *
 * @example A span for each request
 * ```ts
 * import { requestAttributes, type ServerTrace } from "@arborio/http";
 *
 * const trace: ServerTrace = {
 *   requestStart: (request) => console.log("begins", requestAttributes(request)),
 * };
 * console.assert(trace.requestStart !== undefined);
 * ```
 */
export function requestAttributes(
  request: TracedRequest,
  clientOf: ClientOf = NOBODY_TRUSTED,
): TraceAttributes {
  const { connection, scheme, head } = request;
  const client = clientOf({
    peer: connection.peer,
    scheme,
    host: head?.authority ?? "",
    fields: head?.fields ?? [],
  });
  const attributes: TraceAttributes = {
    ...methodAttributes(head?.method ?? ""),
    "url.scheme": client.scheme,
    "network.protocol.name": "http",
    "client.address": client.address,
    ...addressAttributes("network.peer", connection.peer),
  };
  addServer(attributes, client.host, client.scheme, connection.local);
  if (head === null) return attributes;
  attributes["network.protocol.version"] = head.version;
  addTarget(attributes, head.target);
  const agent = firstField(head.fields, "user-agent");
  if (agent !== null) attributes["user_agent.original"] = agent;
  return attributes;
}

/**
 * What is known of a request when it is over, beside what was known before.
 *
 * @param error what the handler threw, if it did.
 */
export function endAttributes(end: TracedEnd, error?: unknown): TraceAttributes {
  const attributes: TraceAttributes = { "http.response.body.size": end.bodyBytes };
  if (end.status !== 0) attributes["http.response.status_code"] = end.status;
  const type = errorType(end, error);
  if (type !== "") attributes["error.type"] = type;
  return attributes;
}

/** Of few different values, as the conventions want it. */
function errorType({ status, outcome }: TracedEnd, error: unknown): string {
  if (error instanceof Error) return error.name;
  if (error !== undefined) return "_OTHER";
  if (outcome === "client-left" || outcome === "cut" || outcome === "failed") return outcome;
  return status >= 500 ? String(status) : "";
}

/** The method: one of few names, or as it is besides. */
export function methodAttributes(method: string): TraceAttributes {
  if (METHODS.has(method)) return { "http.request.method": method };
  const attributes: TraceAttributes = { "http.request.method": "_OTHER" };
  if (method !== "") attributes["http.request.method_original"] = method;
  return attributes;
}

/** The target in its four forms, RFC 9112 §3.2: `/path?query`, a whole URL, `host:port`, `*`. */
function addTarget(attributes: TraceAttributes, target: string): void {
  const absolute = /^[A-Za-z][0-9A-Za-z+.-]*:\/\/[^/?]*/.exec(target);
  const rest = absolute === null ? target : target.slice(absolute[0].length);
  if (absolute === null && !rest.startsWith("/")) {
    attributes["url.path"] = rest === "*" ? "*" : "";
    return;
  }
  const question = rest.indexOf("?");
  attributes["url.path"] = (question < 0 ? rest : rest.slice(0, question)) || "/";
  if (question < 0) return;
  const query = rest.slice(question + 1);
  if (query !== "") attributes["url.query"] = withoutSecrets(query);
}

/** A query without the values that open what it leads to. */
export function withoutSecrets(query: string): string {
  return query.replace(SECRET_PARAMETERS, "$1$2=REDACTED");
}

function addServer(
  attributes: TraceAttributes,
  host: string,
  scheme: "http" | "https",
  local: SocketAddress,
): void {
  const match = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(host);
  const [, name = "", port] = match ?? [];
  if (name === "") {
    Object.assign(attributes, addressAttributes("server", local));
    return;
  }
  attributes["server.address"] = name.replace(/^\[|\]$/g, "");
  attributes["server.port"] = port === undefined ? (scheme === "https" ? 443 : 80) : Number(port);
}

function addressAttributes(prefix: string, address: SocketAddress): TraceAttributes {
  if ("path" in address) return address.path === "" ? {} : { [`${prefix}.address`]: address.path };
  const { host, port }: IpAddress = address;
  return { [`${prefix}.address`]: host, [`${prefix}.port`]: port };
}
