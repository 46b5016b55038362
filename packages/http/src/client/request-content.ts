import { type BodySource, contentOf, lengthOf, type Payload } from "../web/payload.ts";
import { payloadOfWeb } from "../web/body-reader.ts";
import type { FetchOptions } from "./client-options.ts";
import { multipartForm, sendBlob } from "./multipart-form.ts";
import { searchParams } from "./query.ts";
import { describe } from "./require-option.ts";

/** The body of a request, with what is known of it. */
export interface RequestContent {
  readonly payload: Payload;
  /** Bytes of a payload that is no text or bytes, if they are known before it is sent. */
  readonly payloadBytes: number | undefined;
  /** For `Content-Type`; `""` if there is none. */
  readonly type: string;
  /** Whether the same can be sent again. */
  readonly isReplayable: boolean;
}

/** What a request without a body has. */
export const NO_CONTENT: RequestContent = Object.freeze({
  payload: null,
  payloadBytes: undefined,
  type: "",
  isReplayable: true,
});

const JSON_TYPE = "application/json";

const FORM_TYPE = "application/x-www-form-urlencoded;charset=UTF-8";

/** The one of `body`, `json` and `form` that is given; `null`: none is. @throws TypeError if more are, or it cannot be sent. */
export function contentOfOptions(where: string, options: FetchOptions): RequestContent | null {
  const { body, json, form } = options;
  if (json !== undefined) {
    requireNothing(where, "json", body, form);
    return contentOfJson(where, json);
  }
  if (form !== undefined) {
    requireNothing(where, "form", body, undefined);
    return contentOfForm(where, form);
  }
  return body === undefined ? null : contentOfBody(`${where}({ body })`, body);
}

/** @throws TypeError if it cannot be sent. */
export function contentOfBody(where: string, body: BodySource): RequestContent {
  if (body === null) return NO_CONTENT;
  if (body instanceof FormData) return multipartForm(body);
  if (body instanceof Blob) {
    const { type, size } = body;
    return {
      payload: (sink) => sendBlob(body, sink),
      payloadBytes: size,
      type,
      isReplayable: true,
    };
  }
  const { body: content, type, bytes } = contentOf(where, body, "{ json: object }");
  const payload = content instanceof ReadableStream ? payloadOfWeb(content) : content;
  const isReplayable = typeof payload === "string" || payload instanceof Uint8Array;
  return { payload, payloadBytes: bytes ?? lengthOf(payload), type, isReplayable };
}

function contentOfJson(where: string, json: unknown): RequestContent {
  const payload = JSON.stringify(json) as string | undefined;
  if (payload === undefined)
    throw new TypeError(`${where}({ json }): got ${describe(json)}, needs what JSON can express`);
  return { payload, payloadBytes: undefined, type: JSON_TYPE, isReplayable: true };
}

function contentOfForm(where: string, form: Exclude<FetchOptions["form"], undefined>) {
  if (form instanceof FormData) return multipartForm(form);
  const payload = searchParams(`${where}({ form })`, form).toString();
  return { payload, payloadBytes: undefined, type: FORM_TYPE, isReplayable: true };
}

function requireNothing(where: string, what: string, ...others: unknown[]): void {
  if (others.every((other) => other === undefined || other === null)) return;
  throw new TypeError(
    `${where}({ ${what} }): got another body besides, needs one of body, json and form`,
  );
}
