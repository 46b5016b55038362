import { checkpoint } from "arborio";
import type { DownloadResponse } from "../fetch/download.ts";

/** A connection that broke. */
export class Broken extends Error {}

/** A file on a server, and how badly that serves it. */
export interface Origin {
  bytes: Uint8Array;
  /** `null`: it has none. */
  etag: string | null;
  /** Bytes of a body after which the connection breaks. */
  breaksAfter?: number;
  /** Answers this instead, with these fields. */
  status?: number;
  fields?: Record<string, string>;
  /** Knows nothing of ranges. */
  noRanges?: boolean;
  /** Takes a range for what it is, whatever `If-Range` says. */
  noConditions?: boolean;
  /** Gives so many bytes of a range at most, and says so. */
  rangeBytesMax?: number;
  /** Does not say how long the body is. */
  noLength?: boolean;
}

/** Answers as a server of this file would. */
export async function ask(
  origin: Origin,
  fields: Readonly<Record<string, string>>,
): Promise<DownloadResponse> {
  await checkpoint();
  const { bytes, etag, breaksAfter = Infinity } = origin;
  if (origin.status !== undefined)
    return response(origin.status, origin.fields ?? {}, [], Infinity);
  const common = etag === null ? {} : { etag };
  const [, first] = /^bytes=(\d+)-$/.exec(fields["range"] ?? "") ?? [];
  const isMet = origin.noConditions === true || fields["if-range"] === etag;
  if (first === undefined || origin.noRanges === true || !isMet) {
    const length = origin.noLength === true ? {} : { "content-length": String(bytes.length) };
    return response(200, { ...common, ...length }, chunksOf(bytes), breaksAfter);
  }
  const start = Number(first);
  if (start >= bytes.length)
    return response(416, { ...common, "content-range": `bytes */${bytes.length}` }, [], Infinity);
  const end = Math.min(bytes.length, start + (origin.rangeBytesMax ?? Infinity));
  const range = `bytes ${start}-${end - 1}/${bytes.length}`;
  return response(
    206,
    { ...common, "content-range": range },
    chunksOf(bytes.subarray(start, end)),
    breaksAfter,
  );
}

/** Bytes of a chunk: few, so that there are many places to break off at. */
const CHUNK_BYTES = 7;

function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    chunks.push(bytes.slice(at, at + CHUNK_BYTES));
  return chunks;
}

function response(
  status: number,
  fields: Record<string, string>,
  chunks: readonly Uint8Array[],
  breaksAfter: number,
): DownloadResponse {
  return {
    status,
    headers: new Headers(fields),
    async *chunks() {
      let left = breaksAfter;
      for (const chunk of chunks) {
        await checkpoint();
        if (left < chunk.length) {
          if (left > 0) yield chunk.slice(0, left);
          throw new Broken("the connection broke");
        }
        left -= chunk.length;
        yield chunk;
      }
    },
    [Symbol.dispose]() {},
  };
}
