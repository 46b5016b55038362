import { fromReadableStream, type ByteReceiveStream } from "arborio/streams";
import { collectForm, partsOf } from "./collect-form.ts";
import { type FormLimits, formLimits } from "./form-limits.ts";
import type { FormPart } from "./form-part.ts";
import { HttpRequest } from "./http-request.ts";

/**
 * Reads a form, `application/x-www-form-urlencoded` or `multipart/form-data`, of a request or a response, into memory. Its limits hold while it
 * is being read.
 *
 * Fields of multipart forms are decoded as their part says, else as a field `_charset_` before them says, else as UTF-8.
 *
 * @throws HttpError 415 if the body is no form, or names an encoding that is not known; 413 (for bytes a `BodyTooLargeError`) over a limit;
 *   400 if it is malformed.
 * @throws TypeError if the body was read already.
 *
 * Counterpart: `aiohttp.web.Request.post`.
 *
 * @example A form with a file
 * ```ts
 * import { readForm } from "@arborio/http";
 *
 * const body = new FormData();
 * body.append("name", "Ada");
 * body.append("photo", new File(["…"], "ada.png", { type: "image/png" }));
 * const request = new Request("http://localhost/", { method: "POST", body });
 *
 * const form = await readForm(request, { filesMax: 1, bytesMax: 10_000_000 });
 * console.assert(form.get("name") === "Ada");
 * console.assert((form.get("photo") as File).name === "ada.png");
 * ```
 */
export async function readForm(
  request: Request | Response,
  limits: FormLimits = {},
): Promise<FormData> {
  const all = formLimits("readForm", limits);
  return collectForm(bodyOf("readForm", request, limits), request.headers.get("content-type"), all);
}

/**
 * Reads a form of a request or a response part by part, nothing of it in memory but what was received and not taken. Each part is a stream, with backpressure up
 * to the client, that can be read until the next one is asked for. Leaving the loop leaves the rest unread.
 *
 * @throws as `readForm`, when the part is reached.
 *
 * Counterpart: `aiohttp.web.Request.multipart`.
 *
 * @example Files of any size
 * ```ts
 * import { run } from "arborio";
 * import { formParts } from "@arborio/http";
 *
 * await run(async () => {
 *   const body = new FormData();
 *   body.append("upload", new File(["hello"], "hello.txt"));
 *   const request = new Request("http://localhost/", { method: "POST", body });
 *
 *   for await (const part of formParts(request, { bytesMax: Infinity })) {
 *     let count = 0;
 *     for await (const chunk of part) count += chunk.length;
 *     console.assert(part.fileName === "hello.txt" && count === 5);
 *   }
 * });
 * ```
 */
export async function* formParts(
  request: Request | Response,
  limits: FormLimits = {},
): AsyncGenerator<FormPart, undefined> {
  const all = formLimits("formParts", limits);
  const stream = bodyOf("formParts", request, limits);
  yield* partsOf(stream, request.headers.get("content-type"), all);
  return undefined;
}

function bodyOf(
  where: string,
  request: Request | Response,
  { bytesMax }: FormLimits,
): ByteReceiveStream | null {
  if (request instanceof HttpRequest) {
    if (bytesMax !== undefined) request.bodyBytesMax = bytesMax;
    return request.bodyStream;
  }
  if (request.bodyUsed) throw new TypeError(`${where}: the body was read already`);
  // Of a response that a client of ours gave.
  const { bodyStream } = request as { readonly bodyStream?: ByteReceiveStream | null };
  if (bodyStream !== undefined) return bodyStream;
  return request.body === null ? null : fromReadableStream(request.body);
}
