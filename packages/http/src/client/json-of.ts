import { firstField } from "../web/field-names.ts";
import type { ClientResponse } from "./client-response.ts";

/** So much of a text that is no JSON is shown, in characters: what tells an error page from a cut answer. */
const SHOWN_CHARACTERS_MAX = 60;

/** A text that came as JSON. @throws SyntaxError if it is none: from where, of what type, and how it begins. */
export function jsonOf(text: string, response: ClientResponse): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { request, url, status, fields } = response;
    const type = firstField(fields, "content-type") ?? "no type";
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(
      `${request.method} ${url}: the response (${status}, ${type}) is no JSON: ${text === "" ? "it is empty" : `${reason}: ${JSON.stringify(text.slice(0, SHOWN_CHARACTERS_MAX))}`}`,
      { cause },
    );
  }
}
