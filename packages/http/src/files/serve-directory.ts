import { type DirectoryEntry, type PathLike, PurePath } from "arborio/fs";
import { HttpResponse } from "../web/http-response.ts";
import { contentTypeOf } from "./content-type-of.ts";
import { directoryListing } from "./directory-listing.ts";
import { type PrecompressedFormat, requireFormats } from "./precompressed.ts";
import { methodRefused, type Refusal, refusalResponse } from "./refused-file.ts";
import { safePathOf } from "./safe-path.ts";
import { isReading, type LocatedFile, serveLocated } from "./serve-file.ts";
import { type FollowLinks, ServedFolder } from "./served-folder.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** Options of `serveDirectory`. */
export interface ServeDirectoryOptions {
  /** What the paths of requests begin with, as in `"/static"`; what does not is answered by 404. Default `""`. */
  readonly prefix?: string;
  /** Name of the file that stands for a directory; `false`: none does. Default `"index.html"`. */
  readonly index?: string | false;
  /** As of `serveFile`. Default `false`. */
  readonly precompressed?: boolean | readonly PrecompressedFormat[];
  /** Whether names that begin with a dot are there: `"ignore"`: no, `.well-known` neither; `"serve"`: yes. Default `"ignore"`. */
  readonly dotfiles?: "ignore" | "serve";
  /**
   * Where symbolic links may lead: `"inside"`: to what is inside the folder too; `"never"`: they are not there; `"anywhere"`: wherever
   * they lead, so whoever can make links in the folder can publish every file that this process may read. Default `"inside"`.
   */
  readonly followLinks?: FollowLinks;
  /** Whether a directory without an index is answered with a page of what is in it. Default `false`: 404. */
  readonly listing?: boolean;
  /** The value of `Cache-Control`. Default: none is sent. */
  readonly cacheControl?: string;
  /**
   * Files whose path below the folder matches never change, since their names would: `/-[0-9a-f]{8}\.\w+$/`. They are sent with
   * `Cache-Control: public, max-age=31536000, immutable`. Default: none.
   */
  readonly immutable?: RegExp;
  /** Further fields of the answers that give a file, or say that the client has it. */
  readonly headers?: HeadersSource;
  /** Answers instead of a plain 404: with a page, or with what another handler makes of the request. */
  readonly notFound?: (request: Request) => Response | Promise<Response>;
}

/** What `serveDirectory` returns. */
export type DirectoryHandler = (request: Request) => Promise<Response>;

const IMMUTABLE = "public, max-age=31536000, immutable";

type Settings = ServeDirectoryOptions &
  Required<Pick<ServeDirectoryOptions, "prefix" | "index" | "dotfiles" | "followLinks">>;

/**
 * Makes a handler that answers with the files of a folder, each as {@link serveFile} does.
 *
 * Nothing outside is reachable: paths are decoded once, and one with an empty name, `.`, `..`, a slash, backslash or NUL in a name,
 * encoded or not, or with too long a name is not there; neither is what a link leads to out of the folder, whether or not something is
 * there. All that is 404. A file is opened once, and by its path without links.
 *
 * A directory without `/` at its end is redirected (308) to itself with it, by a relative reference, which can lead to no other host.
 *
 * @param root the folder: a path, or a `file:` URL. It need not be there yet; if it is a link, it may be changed to another folder.
 * @returns a handler. It throws a `SystemError` if the folder is not there.
 * @throws TypeError, RangeError if an option is wrong.
 *
 * Counterpart: `aiohttp.web.static`, but that there is more than one range, `If-Range` by tag, zstd, and no probing for files.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { serveDirectory } from "@arborio/http";
 *
 * await run(async () => {
 *   const files = serveDirectory("/usr/share", { prefix: "/share", precompressed: true });
 *   const response = await files(new Request("http://localhost/share/..%2f..%2fetc/passwd"));
 *   console.assert(response.status === 404);
 * });
 * ```
 */
export function serveDirectory(
  root: PathLike,
  options: ServeDirectoryOptions = {},
): DirectoryHandler {
  const settings: Settings = {
    ...options,
    prefix: options.prefix ?? "",
    index: options.index ?? "index.html",
    dotfiles: options.dotfiles ?? "ignore",
    followLinks: options.followLinks ?? "inside",
  };
  requireSettings(settings);
  const folder = new ServedFolder(pathOf(root), {
    followLinks: settings.followLinks,
    dotfiles: settings.dotfiles === "serve",
  });
  return async (request) => {
    if (!isReading(request)) return methodRefused();
    const answer = await answerOf(folder, request, settings);
    if (typeof answer !== "number") return answer;
    if (answer === 404 && settings.notFound !== undefined) return settings.notFound(request);
    return refusalResponse(answer);
  };
}

async function answerOf(
  folder: ServedFolder,
  request: Request,
  settings: Settings,
): Promise<Response | Refusal> {
  const { pathname, search } = new URL(request.url);
  const { prefix } = settings;
  if (!pathname.startsWith(prefix)) return 404;
  // "/static" itself, without a slash: a directory like any other.
  if (pathname === prefix && prefix !== "") return redirectTo(prefix.split("/").at(-1), search);
  const path = safePathOf(pathname.slice(prefix.length));
  if (path === null) return 404;
  const { names, isDirectory } = path;
  const found = await folder.locate(names);
  if (typeof found === "number") return found;
  if (found.stat.kind !== "directory") {
    if (isDirectory) return 404;
    return giveFile(request, found, names, settings);
  }
  if (!isDirectory) return redirectTo(encodeURIComponent(names.at(-1) as string), search);
  return giveDirectory(folder, request, names, found.real, settings);
}

async function giveDirectory(
  folder: ServedFolder,
  request: Request,
  names: readonly string[],
  real: string,
  settings: Settings,
): Promise<Response | Refusal> {
  const { index, listing = false, dotfiles, followLinks, prefix } = settings;
  if (index !== false) {
    const found = await folder.locate([...names, index]);
    if (typeof found !== "number" && found.stat.kind === "file")
      return giveFile(request, found, [...names, index], settings);
    if (found === 403) return 403;
  }
  if (!listing) return 404;
  return directoryListing(request, real, {
    title: `${prefix}/${names.map((name) => `${name}/`).join("")}`,
    hasParent: names.length > 0,
    shows: ({ name, kind }: DirectoryEntry) =>
      (dotfiles === "serve" || !name.startsWith(".")) &&
      kind !== "other" &&
      !(kind === "link" && followLinks === "never"),
  });
}

function giveFile(
  request: Request,
  found: LocatedFile,
  names: readonly string[],
  settings: Settings,
): Promise<Response | Refusal> {
  const { immutable, cacheControl, headers, precompressed } = settings;
  // A pattern with the flag "g" remembers where it was.
  const isImmutable = immutable !== undefined && names.join("/").search(immutable) !== -1;
  const caching = isImmutable ? IMMUTABLE : cacheControl;
  return serveLocated(request, found, {
    contentType: contentTypeOf(names.at(-1) as string),
    ...(caching === undefined ? {} : { cacheControl: caching }),
    ...(headers === undefined ? {} : { headers }),
    ...(precompressed === undefined ? {} : { precompressed }),
  });
}

/** To the directory of this name, seen from the one that it is in (CVE-2021-21330). */
function redirectTo(encodedName: string | undefined, search: string): Response {
  const location = `./${encodedName ?? ""}/${search}`;
  return new HttpResponse(null, { status: 308, headers: { location } });
}

function pathOf(root: PathLike): string {
  if (root instanceof PurePath) return root.text;
  if (typeof root === "string" && root !== "" && !root.includes("\0")) return root;
  if (root instanceof URL && root.protocol === "file:" && root.hostname === "")
    return decodeURIComponent(root.pathname);
  throw new TypeError(`serveDirectory: got ${String(root)}, needs a path or a file: URL`);
}

function requireSettings({
  prefix,
  index,
  dotfiles,
  followLinks,
  immutable,
  precompressed,
}: Settings): void {
  const require = (is: boolean, name: string, value: unknown, needs: string): void => {
    if (!is)
      throw new RangeError(`serveDirectory({ ${name} }): got ${String(value)}, needs ${needs}`);
  };
  const isPrefix = prefix === "" || (prefix.startsWith("/") && !prefix.endsWith("/"));
  require(isPrefix, "prefix", prefix, '"", or a path such as "/static"');
  const isIndex = index === false || safePathOf(`/${encodeURIComponent(index)}`) !== null;
  require(isIndex && index !== "", "index", index, "the name of a file, or false");
  require(["ignore", "serve"].includes(dotfiles), "dotfiles", dotfiles, '"ignore" or "serve"');
  require(["inside", "never", "anywhere"].includes(
    followLinks,
  ), "followLinks", followLinks, '"inside", "never" or "anywhere"');
  require(immutable === undefined ||
    immutable instanceof RegExp, "immutable", immutable, "a regular expression");
  requireFormats("serveDirectory", precompressed);
}
