import type { FieldList } from "../protocol/message.ts";
import { payloadOfWeb } from "./body-reader.ts";
import { HttpResponse } from "./http-response.ts";
import { lengthOf, type Payload } from "./payload.ts";

/** What there is to send of a response. */
export interface ResponseParts {
  /** 101, or 200 to 599. */
  readonly status: number;
  /** The reason phrase; `""`: the usual one. */
  readonly statusText: string;
  /** Names and values in turn, checked, in the order to send them. Not to be changed. */
  readonly fields: FieldList;
  /** The body. A stream is to be closed by who sends it. */
  readonly payload: Payload;
  /** Bytes of a payload that is a stream, if they are known before it is read. */
  readonly payloadBytes: number | undefined;
  /** Gives the fields to send after the body; `null`: none. */
  readonly trailers: (() => FieldList) | null;
}

/** A response of ours that can be sent without being made a web stream. */
interface Passable extends Response {
  passOn(): ResponseParts;
}

/**
 * What there is to send of any response: ours or the platform's. Its body counts as taken from here on, unless it is text or bytes
 * of ours.
 *
 * @throws TypeError if it is no response that can be sent: its body was read or is locked, or it is `Response.error()`.
 */
export function responseParts(response: Response): ResponseParts {
  if (response instanceof HttpResponse) {
    requireSendable(response);
    return response;
  }
  if (!(response instanceof Response)) {
    throw new TypeError(
      `a handler gave ${Object.prototype.toString.call(response)}, needs a Response: new HttpResponse(…)`,
    );
  }
  if ("passOn" in response) return (response as Passable).passOn();
  requireSendable(response);
  const { status, statusText, headers, body } = response;
  if (body !== null && (response.bodyUsed || body.locked)) {
    throw new TypeError("a handler gave a Response whose body was read already, or is locked");
  }
  const fields: string[] = [];
  for (const [name, value] of headers) fields.push(name, value);
  const payload = body === null ? null : payloadOfWeb(body);
  return { status, statusText, fields, payload, payloadBytes: lengthOf(payload), trailers: null };
}

function requireSendable({ status }: Response): void {
  if (status !== 0) return;
  throw new TypeError("a handler gave Response.error(), needs a response with a status");
}
