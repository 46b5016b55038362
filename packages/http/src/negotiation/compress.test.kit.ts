/** What the tests of compression share. */
import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { compress, type CompressOptions } from "./compress.ts";

export const TEXT: string = JSON.stringify(
  Array.from({ length: 500 }, (_, id) => ({ id, name: `item ${id}` })),
);
export const JSON_TYPE: Readonly<Record<string, string>> = { "content-type": "application/json" };

export function request(acceptEncoding: string | null, method = "GET"): Request {
  const headers = new Headers(acceptEncoding === null ? {} : { "accept-encoding": acceptEncoding });
  return { method, url: "http://localhost/", headers } as unknown as Request;
}

export function answer(
  response: Response,
  acceptEncoding: string | null = "br, zstd, gzip",
  options: CompressOptions = {},
  method = "GET",
): Promise<Response> {
  return compress(() => response, options)(request(acceptEncoding, method));
}

export function decompressed(bytes: Uint8Array, coding: string | null): string {
  if (coding === null) return Buffer.from(bytes).toString();
  const decompress = {
    br: zlib.brotliDecompressSync,
    gzip: zlib.gunzipSync,
    zstd: zlib.zstdDecompressSync,
  }[coding];
  assert.ok(decompress !== undefined, coding);
  return decompress(bytes).toString();
}

export async function textOf(response: Response): Promise<string> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  return decompressed(bytes, response.headers.get("content-encoding"));
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
