import { wallNow } from "arborio/lowlevel";
import type { ClientResponse } from "./client-response.ts";
import { parseHttpDate } from "../protocol/http-date.ts";
import { parseRetryAfter } from "../protocol/retry-after.ts";

/** Milliseconds that the server asks to wait (`Retry-After`); `null` if it asks for nothing that can be understood. */
export function retryAfterMs({ headers }: ClientResponse): number | null {
  const value = headers.first("retry-after");
  if (value === null) return null;
  // By the server's own clock, if it tells.
  const date = headers.first("date");
  return parseRetryAfter(value, (date === null ? null : parseHttpDate(date)) ?? wallNow());
}
