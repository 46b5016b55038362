/** The fields of a response as they are sent: the handler's, without those that are the connection's, and the server's own. */
import type { FieldList } from "../protocol/message.ts";

/** Fields that tell of the connection, not of the response: the server alone sets them (RFC 9110 §7.6.1). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** How the peer learns where the body ends; `"none"`: nothing is said. */
export type OutgoingFraming = "none" | "chunked" | "close" | number;

/** Fields to be sent: those of the response that are not the connection's, its length and, if they have none, the date. */
export function outgoingFields(
  fields: FieldList,
  framing: OutgoingFraming,
  date: string,
): string[] {
  const all: string[] = [];
  let hasDate = false;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    const lower = name.toLowerCase();
    if (CONNECTION_FIELDS.has(lower) || lower === "content-length") continue;
    if (lower === "date") hasDate = true;
    all.push(name, fields[index + 1] as string);
  }
  if (!hasDate) all.push("date", date);
  if (typeof framing === "number") all.push("content-length", String(framing));
  else if (framing === "chunked") all.push("transfer-encoding", "chunked");
  return all;
}

/** The protocols that a response says the server would switch to: a 426 has to (RFC 9110 §7.8, §15.5.22). */
export function offeredUpgrade(fields: FieldList): string | undefined {
  return valueOf(fields, "upgrade");
}

/** Whether the response asks for the end of the connection. */
export function saysClose(fields: FieldList): boolean {
  const value = valueOf(fields, "connection");
  return value !== undefined && /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value);
}

/**
 * What the response itself says of its length.
 *
 * @throws TypeError if that is no length.
 */
export function announcedLength(fields: FieldList): number | undefined {
  const value = valueOf(fields, "content-length");
  if (value === undefined) return undefined;
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw new TypeError(`response: got content-length ${JSON.stringify(value)}, needs digits`);
}

function valueOf(fields: FieldList, lowerCaseName: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName)
      return fields[index + 1];
  }
  return undefined;
}
