import { type DirectoryEntry, readDirectory } from "arborio/fs";
import { escapeHtml } from "../web/escape-html.ts";
import { HttpResponse } from "../web/http-response.ts";
import { type Refusal, refusalOrThrow } from "./refused-file.ts";

/** So many names are shown; of the rest only how many there are. A page beyond this is of no use to anybody. */
const ENTRIES_MAX = 10_000;

/** What a listing shows. */
export interface DirectoryListingOptions {
  /** The path of the directory as the client knows it, decoded. */
  readonly title: string;
  /** Whether there is a directory above that may be seen. */
  readonly hasParent: boolean;
  /** Which entries are shown. */
  readonly shows: (entry: DirectoryEntry) => boolean;
}

/** A page that lists a directory. Names are escaped: they may hold anything (CVE-2024-27306). */
export async function directoryListing(
  request: Request,
  path: string,
  options: DirectoryListingOptions,
): Promise<HttpResponse | Refusal> {
  let entries: DirectoryEntry[];
  try {
    entries = await readDirectory(path);
  } catch (error) {
    return refusalOrThrow(error);
  }
  const page = listingPage(entries.filter(options.shows), options);
  return new HttpResponse(request.method === "HEAD" ? null : page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      // Nothing in this page is ever to run, whatever a name is made to look like.
      "content-security-policy": "default-src 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    },
  });
}

/** The page itself. Links are relative, and begin with `./`, so that no name is taken for a scheme or a host. */
export function listingPage(
  entries: readonly DirectoryEntry[],
  { title, hasParent }: Pick<DirectoryListingOptions, "title" | "hasParent">,
): string {
  const items = entries.slice(0, ENTRIES_MAX).map(({ name, kind }) => {
    const slash = kind === "directory" ? "/" : "";
    const href = `./${encodeURIComponent(name.toWellFormed())}${slash}`;
    return `<li><a href="${escapeHtml(href)}">${escapeHtml(name)}${slash}</a></li>`;
  });
  if (hasParent) items.unshift('<li><a href="../">../</a></li>');
  const more = entries.length - ENTRIES_MAX;
  if (more > 0) items.push(`<li>and ${more} more</li>`);
  const heading = `Index of ${escapeHtml(title)}`;
  return (
    `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${heading}</title></head>\n` +
    `<body>\n<h1>${heading}</h1>\n<ul>\n${items.join("\n")}\n</ul>\n</body>\n</html>\n`
  );
}
