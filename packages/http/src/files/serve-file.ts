import { type FileStat, type PathLike, realPath, stat } from "arborio/fs";
import { openRegular } from "./open-regular.ts";
import { precompressedSibling, type PrecompressedFormat, requireFormats } from "./precompressed.ts";
import { contentTypeOf } from "./content-type-of.ts";
import { methodRefused, type Refusal, refusalOrThrow, refusalResponse } from "./refused-file.ts";
import { respondWithFile } from "./respond-with-file.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** Options of `serveFile`. */
export interface ServeFileOptions {
  /** The value of `Content-Type`. Default: by the extension of the file, texts as UTF-8. */
  readonly contentType?: string;
  /** The value of `Cache-Control`. Default: none is sent, which lets caches guess; `"no-cache"` makes them ask each time. */
  readonly cacheControl?: string;
  /**
   * Whether `page.html.br`, `.zst` or `.gz` next to `page.html` are sent to who takes them: all formats, or these, the favourite
   * first. They must be regular files, not links, and are taken to be up to date. Default `false`.
   */
  readonly precompressed?: boolean | readonly PrecompressedFormat[];
  /** Further fields of the answers that give the file, or say that the client has it. */
  readonly headers?: HeadersSource;
}

/**
 * Answers a request for a file: GET and HEAD, with `Content-Type`, a strong entity tag (of size, time and inode), `Last-Modified`,
 * conditional requests, and ranges, single and several (RFC 9110 §13, §14). Large files are read while they are sent, as fast as the
 * client takes them.
 *
 * All of an answer is about one open file: if the path leads elsewhere meanwhile, it is still the old file, whole. The file is closed
 * with the last byte, when the body is closed or cancelled, and at once if no body is sent. So a response that is not given to a
 * server, or whose body is not read, must have its body cancelled. A file that becomes shorter while it is sent breaks the body off.
 *
 * `path` is yours: nothing is checked but that it is a regular file; links are followed. For paths that come from clients there is
 * {@link serveDirectory}.
 *
 * @param request GET or HEAD; anything else is answered by 405.
 * @param path relative to the working directory, or a `file:` URL.
 * @returns 200, 206, 304, 412, 416; 404 if no file is there; 403 if it may not be read, or is a FIFO, a socket or a device: these
 *   are never opened.
 * @throws SystemError if the system fails for other reasons, such as no more descriptors.
 * @throws TypeError, RangeError if `request` is none, `path` is no path, or an option is wrong.
 *
 * Counterpart: `aiohttp.web.FileResponse`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { serveFile } from "@arborio/http";
 *
 * await run(async () => {
 *   const request = new Request("http://localhost/", { headers: { range: "bytes=0-3" } });
 *   const response = await serveFile(request, "/etc/passwd");
 *   console.assert(response.status === 206);
 *   console.assert((await response.text()).length === 4);
 * });
 * ```
 */
export async function serveFile(
  request: Request,
  path: PathLike,
  options: ServeFileOptions = {},
): Promise<Response> {
  if (typeof (request as Partial<Request> | undefined)?.method !== "string") {
    throw new TypeError(
      `serveFile: got ${String(request)} as the request, needs the handler's: serveFile(request, path)`,
    );
  }
  requireFormats("serveFile", options.precompressed);
  if (!isReading(request)) return methodRefused();
  const found = await locate(path);
  const name = path instanceof URL ? path.pathname : String(path);
  const answer =
    typeof found === "number"
      ? found
      : await serveLocated(request, found, { contentType: contentTypeOf(name), ...options });
  return typeof answer === "number" ? refusalResponse(answer) : answer;
}

async function locate(path: PathLike): Promise<LocatedFile | Refusal> {
  try {
    const real = await realPath(path);
    return { real, stat: await stat(real) };
  } catch (error) {
    return refusalOrThrow(error);
  }
}

/** Whether a request has a method that reads. */
export function isReading({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/** What was found at a path without links. */
export interface LocatedFile {
  readonly real: string;
  readonly stat: FileStat;
}

/** Options of `serveLocated`. */
export interface ServeLocatedOptions extends ServeFileOptions {
  readonly contentType: string;
}

/** Answers with what was found, if it is a regular file; a link that is in its place meanwhile is refused. */
export async function serveLocated(
  request: Request,
  { real, stat }: LocatedFile,
  options: ServeLocatedOptions,
): Promise<Response | Refusal> {
  if (stat.kind === "directory") return 404;
  if (stat.kind !== "file") return 403;
  const { precompressed = false } = options;
  const sibling = await precompressedSibling(request, real, precompressed);
  const opened = sibling ?? (await openRegular(real, { withoutLinks: true, known: stat }));
  if (typeof opened === "number") return opened;
  const varies = precompressed !== false;
  return respondWithFile(request, opened, { ...options, coding: sibling?.coding, varies });
}
