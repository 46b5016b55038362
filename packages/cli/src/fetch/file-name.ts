/** Where a download goes, decided by its URL alone: a server that chooses names chooses what is overwritten, and a name that is known only from the response finds no part of an earlier attempt. */

/** Longest name of a file, in bytes, so that `.part.json` fits behind it within the 255 that file systems take. */
const NAME_BYTES_MAX = 240;

/** A name where the URL has none. */
const NAMELESS = "download";

/** Not in names of files: what Windows forbids, separators, and control characters, which could also deceive who reads them. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:"/\\|?*]/g;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The name that a URL gives to its file: the last segment of its path that is not empty, made harmless. */
export function fileNameOf(url: URL): string {
  const segment = url.pathname.split("/").findLast((part) => part !== "") ?? "";
  const name = decoded(segment)
    .replace(FORBIDDEN, "_")
    // No hidden file, and none of the two folders.
    .replace(/^[. ]+/, "_")
    .replace(/[. ]+$/, "");
  return shortened(name === "" || name === "_" ? NAMELESS : name);
}

/**
 * Names for several URLs, in their order. Names that are the same, also for file systems that do not tell `a` from `A`, get a number,
 * `a.zip`, `a-2.zip`: the same command line gives the same names, so that it finds the parts of its last run.
 */
export function fileNamesOf(urls: readonly URL[]): string[] {
  const taken = new Set<string>();
  return urls.map((url) => {
    const name = fileNameOf(url);
    let unique = name;
    for (let number = 2; taken.has(unique.toLowerCase()); number++) unique = numbered(name, number);
    taken.add(unique.toLowerCase());
    return unique;
  });
}

function numbered(name: string, number: number): string {
  const dot = name.indexOf(".", 1);
  return dot === -1 ? `${name}-${number}` : `${name.slice(0, dot)}-${number}${name.slice(dot)}`;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // percent signs that encode nothing
  }
}

/** Keeps the ending, which says what is in the file. */
function shortened(name: string): string {
  const bytes = encoder.encode(name);
  if (bytes.length <= NAME_BYTES_MAX) return name;
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : "";
  const room = NAME_BYTES_MAX - encoder.encode(ending).length;
  // A character that is cut in the middle is dropped.
  return decoder.decode(bytes.subarray(0, room), { stream: true }).replace(/\uFFFD$/, "") + ending;
}
