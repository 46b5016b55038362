import { lookup } from "mrmime";

/** What the extension says nothing about is handed over as bytes, which no browser takes for a page. */
const UNKNOWN = "application/octet-stream";

/**
 * The value of `Content-Type` for a file of this name: the type that is registered for its extension; texts are taken to be UTF-8.
 *
 * @example
 * ```ts
 * import { contentTypeOf } from "@arborio/http";
 *
 * console.assert(contentTypeOf("index.html") === "text/html; charset=utf-8");
 * console.assert(contentTypeOf("photo.JPG") === "image/jpeg");
 * console.assert(contentTypeOf("README") === "application/octet-stream");
 * ```
 */
export function contentTypeOf(fileName: string): string {
  const dot = fileName.lastIndexOf(".");
  // The library looks into a plain object, where "constructor" is something too.
  const type: unknown = dot === -1 ? undefined : lookup(fileName.slice(dot));
  if (typeof type !== "string") return UNKNOWN;
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}
