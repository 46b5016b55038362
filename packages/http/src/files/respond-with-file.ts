import type { FileStat } from "arborio/fs";
import { randomBytes, wallNow } from "arborio/lowlevel";
import { formatHttpDate } from "../protocol/http-date.ts";
import { FieldHeaders } from "../web/field-headers.ts";
import { fieldsFrom } from "../web/fields-from.ts";
import { HttpResponse } from "../web/http-response.ts";
import { evaluateIfRange, evaluatePreconditions, type Validators } from "./conditional.ts";
import { fileBody } from "./file-body.ts";
import { type BodySegment, contentRange, multipartRanges } from "./multipart-ranges.ts";
import type { RegularFile } from "./open-regular.ts";
import { parseRange, type RangeDecision } from "./ranges.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** How an open file is given. */
export interface RespondWithFileOptions {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly headers?: HeadersSource;
  /** What its bytes are encoded with. */
  readonly coding: string | undefined;
  /** Whether which file is given depends on `Accept-Encoding`. */
  readonly varies: boolean;
}

/** Up to so many bytes are read at once, before the answer: no larger than a chunk would be, and the file is closed at once. */
const SMALL_BYTES = 65_536;

/** Fields that may be there several times. */
const REPEATED: ReadonlySet<string> = new Set(["vary", "set-cookie", "link"]);

/** Random bytes of a boundary: enough that no file has it by chance, or on purpose. */
const BOUNDARY_BYTES = 18;

/**
 * Answers with an open file, which is closed before this returns, or by the body: also if this is cancelled, or throws.
 */
export async function respondWithFile(
  request: Request,
  { file, stat }: RegularFile,
  options: RespondWithFileOptions,
): Promise<HttpResponse> {
  let keepsFile = false;
  try {
    const answer = decide(request, stat, options);
    const { status, headers, segments, length } = answer;
    if (segments.length === 0 || request.method === "HEAD")
      return new HttpResponse(null, { status, headers });
    const body = fileBody(file, segments, length);
    keepsFile = length > SMALL_BYTES;
    return new HttpResponse(keepsFile ? body : await wholeOf(body), { status, headers });
  } finally {
    if (!keepsFile) file.close();
  }
}

interface Answer {
  readonly status: number;
  readonly headers: FieldHeaders;
  readonly segments: readonly BodySegment[];
  readonly length: number;
}

/** What to answer, without reading anything. */
function decide(request: Request, stat: FileStat, options: RespondWithFileOptions): Answer {
  const { size } = stat;
  const validators = validatorsOf(stat);
  const headers = new FieldHeaders([], false);
  headers.set("etag", validators.etag as string);
  if (validators.lastModifiedMs !== undefined)
    headers.set("last-modified", formatHttpDate(validators.lastModifiedMs));
  if (options.varies) headers.set("vary", "accept-encoding");
  const without = (status: number): Answer => ({ status, headers, segments: [], length: 0 });
  const precondition = evaluatePreconditions(request, validators);
  if (precondition === 412) return without(412);
  const ranges = precondition === 304 ? "ignore" : rangesFor(request, size, validators);
  if (ranges === "unsatisfiable") {
    headers.set("content-range", `bytes */${size}`);
    return without(416);
  }
  addOptions(headers, options);
  if (precondition === 304) return without(304);
  headers.set("accept-ranges", "bytes");
  // What a browser makes of it shall be what is said here, not what the bytes look like.
  headers.set("x-content-type-options", "nosniff");
  if (options.coding !== undefined) headers.set("content-encoding", options.coding);
  const { contentType } = options;
  const give = (type: string, segments: readonly BodySegment[], length: number): Answer => {
    headers.set("content-type", type);
    headers.set("content-length", String(length));
    return { status: ranges === "ignore" ? 200 : 206, headers, segments, length };
  };
  if (ranges === "ignore") return give(contentType, [{ start: 0, end: size }], size);
  const [first, ...others] = ranges;
  if (others.length === 0) {
    headers.set("content-range", contentRange(first, size));
    return give(contentType, ranges, first.end - first.start);
  }
  const parts = multipartRanges(ranges, { size, contentType, boundary: newBoundary() });
  return give(parts.contentType, parts.segments, parts.length);
}

/** The parts that are wanted. Of a HEAD there are none (RFC 9110 §14.2). */
function rangesFor(
  { method, headers }: Request,
  size: number,
  validators: Validators,
): RangeDecision {
  const field = method === "GET" ? headers.get("range") : null;
  if (field === null || !evaluateIfRange(headers.get("if-range"), validators)) return "ignore";
  return parseRange(field, size);
}

/** What the user wants besides; `Vary` is joined, the rest stands for what is there. */
function addOptions(headers: FieldHeaders, options: RespondWithFileOptions): void {
  if (options.cacheControl !== undefined) headers.set("cache-control", options.cacheControl);
  if (options.headers === undefined) return;
  const fields = fieldsFrom("serveFile({ headers })", options.headers);
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    const value = fields[index + 1] as string;
    if (REPEATED.has(name.toLowerCase())) headers.append(name, value);
    else headers.set(name, value);
  }
}

/**
 * Of another state of the file another tag: replaced, it has another inode; changed in place, another time or size. A time that is
 * yet to come, or that cannot be written, is not told (RFC 9110 §8.8.2.1).
 */
function validatorsOf({ inode, size, modifiedMs }: FileStat): Validators {
  const etag = `"${[inode, size, modifiedMs].map((number) => number.toString(36)).join("-")}"`;
  const isKnown = modifiedMs >= 0 && modifiedMs <= wallNow();
  return { etag, lastModifiedMs: isKnown ? modifiedMs : undefined };
}

function newBoundary(): string {
  const digits = [...randomBytes(BOUNDARY_BYTES)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `arborio-${digits.join("")}`;
}

async function wholeOf(body: ReturnType<typeof fileBody>): Promise<Uint8Array<ArrayBuffer>> {
  using owned = body;
  const whole = new Uint8Array(owned.length);
  for (let at = 0; at < whole.length;) at += await owned.receiveInto(whole.subarray(at));
  return whole;
}
