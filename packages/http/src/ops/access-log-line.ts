import { TOKEN_PATTERN } from "../protocol/characters.ts";
import { firstField } from "../web/field-names.ts";
import type { RequestClient } from "./forwarded.ts";
import { createIsoTimeWriter, createLogTimeWriter } from "./log-time.ts";
import type { TracedEnd, TracedRequest } from "./server-trace.ts";

/** What is known of a request that is over. */
export interface AccessLogEntry {
  /** The request. */
  readonly request: TracedRequest;
  /** How it ended. */
  readonly end: TracedEnd;
  /** Who sent it, through the proxies that are trusted. */
  readonly client: RequestClient;
  /** When its head was there, in milliseconds since 1970. */
  readonly at: number;
  /** From its head to the end of its response, in milliseconds. */
  readonly durationMs: number;
  /** Of the response; 499 if the client left before there was one, 0 if there was none for another reason. */
  readonly status: number;
}

/** Writes the line of an entry, without a line end. */
export type LineWriter = (entry: AccessLogEntry) => string;

const COMMON = '%a - - %t "%r" %s %b';
const COMBINED = `${COMMON} "%{Referer}i" "%{User-Agent}i"`;

/** @throws RangeError if the template has a directive that does not exist. */
export function createLineWriter(format: string): LineWriter {
  if (format === "json") return createJsonWriter();
  if (format === "common") return createTemplateWriter(COMMON);
  if (format === "combined") return createTemplateWriter(COMBINED);
  return createTemplateWriter(format);
}

// Templates --------------------------------------------------------------------------------------------------------------

const DIRECTIVE = new RegExp(`%(%|Tf|[atrsbTD]|\\{(${TOKEN_PATTERN})\\}([io]))`, "y");

function createTemplateWriter(template: string): LineWriter {
  const parts: (string | LineWriter)[] = [];
  let at = 0;
  while (at < template.length) {
    const percent = template.indexOf("%", at);
    if (percent !== at) {
      const end = percent < 0 ? template.length : percent;
      parts.push(template.slice(at, end));
      at = end;
      continue;
    }
    DIRECTIVE.lastIndex = at;
    const match = DIRECTIVE.exec(template);
    if (match === null) throw unknownDirective(template, at);
    parts.push(directiveWriter(match));
    at = DIRECTIVE.lastIndex;
  }
  return (entry) => {
    let line = "";
    for (const part of parts) line += typeof part === "string" ? part : part(entry);
    return line;
  };
}

function unknownDirective(template: string, at: number): RangeError {
  return new RangeError(
    `accessLog({ format }): got ${JSON.stringify(template.slice(at, at + 12))} at index ${at}, needs "common", "combined", "json", or a template of %a %t %r %s %b %T %Tf %D %{Name}i %{Name}o and %%`,
  );
}

function directiveWriter([, directive = "", name = "", direction]: readonly string[]): LineWriter {
  const field = name.toLowerCase();
  if (direction === "i") {
    return ({ request }) => quoted(firstField(request.head?.fields ?? [], field));
  }
  if (direction === "o") return ({ end }) => quoted(firstField(end.fields, field));
  switch (directive) {
    case "a":
      return ({ client }) => quoted(client.address);
    case "t": {
      const write = createLogTimeWriter();
      return ({ at }) => write(at);
    }
    case "r":
      return ({ request }) => quoted(requestLine(request));
    case "s":
      return ({ status }) => (status === 0 ? "-" : String(status));
    case "b":
      return ({ end }) => String(end.bodyBytes);
    case "T":
      return ({ durationMs }) => String(Math.floor(durationMs / 1000));
    case "Tf":
      return ({ durationMs }) => (durationMs / 1000).toFixed(6);
    case "D":
      return ({ durationMs }) => String(Math.round(durationMs * 1000));
    default:
      return () => "%";
  }
}

function requestLine({ head }: TracedRequest): string | null {
  return head === null ? null : `${head.method} ${head.target} HTTP/${head.version}`;
}

const NEEDS_ESCAPE = /[^ !#-[\]-~]/g;

/**
 * A value as Apache and nginx write it: what could end the line or the quotes, or tell a terminal something, as `\xHH`. `-` stands for
 * none.
 */
function quoted(value: string | null): string {
  if (value === null || value === "") return "-";
  return value.search(NEEDS_ESCAPE) < 0 ? value : value.replace(NEEDS_ESCAPE, escapeChar);
}

function escapeChar(char: string): string {
  if (char === '"' || char === "\\") return `\\${char}`;
  const code = char.charCodeAt(0).toString(16).toUpperCase();
  return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
}

// JSON -------------------------------------------------------------------------------------------------------------------

function createJsonWriter(): LineWriter {
  const writeTime = createIsoTimeWriter();
  return ({ request, end, client, at, durationMs, status }) => {
    const fields = request.head?.fields ?? [];
    const line = JSON.stringify({
      time: writeTime(at),
      client: client.address,
      scheme: client.scheme,
      host: client.host,
      method: request.head?.method,
      target: request.head?.target,
      version: request.head?.version,
      status,
      outcome: end.outcome,
      bodyBytes: end.bodyBytes,
      durationMs: Math.round(durationMs * 1000) / 1000,
      referer: firstField(fields, "referer") ?? undefined,
      userAgent: firstField(fields, "user-agent") ?? undefined,
    });
    return line.search(BEYOND_ASCII) < 0 ? line : line.replace(BEYOND_ASCII, escapeJson);
  };
}

/** Some terminals obey characters from U+0080 to U+009F. */
const BEYOND_ASCII = /[\u007F-\uFFFF]/g;

function escapeJson(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
