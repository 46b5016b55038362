/** The sources, and the file that names real ones. */

import { readFileSync } from "node:fs";
import { UsageError } from "./options.ts";
import { printable } from "./printable.ts";

/** Where one price comes from. */
export interface Source {
  readonly name: string;
  readonly url: string;
}

/** Far more than fits a screen; a file with more lines is not a list of sources. */
const SOURCES_MAX = 10_000;
/** Characters; longer names would break the table. */
const NAME_MAX = 40;

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "that is a directory, not a file",
  EACCES: "that may not be read",
};

/** Reads the file of `--urls`. */
export function readSources(path: string): Source[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--urls ${path}: ${WHY[code ?? ""] ?? String(error)}`, { cause: error });
  }
  return parseSources(text, path);
}

/** One source per line: an optional name, then the URL. Empty lines and what follows `#` do not count. */
export function parseSources(text: string, path: string): Source[] {
  const sources: Source[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    // A "#" inside a URL begins its fragment, so a comment needs a space before it.
    const words = line
      .replace(/(^|\s)#.*$/, "")
      .trim()
      .split(/\s+/);
    const address = words.pop();
    if (address === undefined || address === "") continue;
    const url = parseUrl(address, `${path}:${index + 1}`);
    const name = words.length > 0 ? words.join(" ") : url.host + url.pathname.replace(/\/$/, "");
    sources.push({ name: printable(name, NAME_MAX), url: url.href });
  }
  if (sources.length === 0) throw new UsageError(`${path}: there is no URL in it`);
  if (sources.length > SOURCES_MAX)
    throw new UsageError(`${path}: ${sources.length} URLs, needs at most ${SOURCES_MAX}`);
  return sources;
}

function parseUrl(address: string, where: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const shown = JSON.stringify(printable(address, 80));
  if (url === undefined) throw new UsageError(`${where}: not a URL: ${shown}`);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new UsageError(`${where}: not an http or https URL: ${shown}`);
  if (url.username !== "" || url.password !== "")
    throw new UsageError(`${where}: a URL with a user name or password cannot be fetched`);
  return url;
}
