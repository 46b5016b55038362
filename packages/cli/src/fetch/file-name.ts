/**
 * Where a download goes, decided by its URL alone. A server that chooses names chooses what is overwritten; and a name that is known only
 * from the response finds no part of an earlier attempt.
 */
import { safeFileName } from "@arborio/http/protocol";

import { partPathOf, statePathOf } from "./part-state.ts";

/** A name where the URL has none. */
const NAMELESS = "download";

/** The name that a URL gives to its file: the last segment of its path that is not empty, made harmless. */
export function fileNameOf(url: URL): string {
  const segment = url.pathname.split("/").findLast((part) => part !== "") ?? "";
  return safeFileName(decoded(segment)) ?? NAMELESS;
}

/**
 * Names for several URLs, in their order. Names that are the same, also for file systems that do not tell `a` from `A`, get a number,
 * `a.zip`, `a-2.zip`: the same command line gives the same names, so that it finds the parts of its last run. A name that is that of
 * another's part is taken too.
 */
export function fileNamesOf(urls: readonly URL[]): string[] {
  const taken = new Set<string>();
  const numbers = new Map<string, number>();
  return urls.map((url) => {
    const name = fileNameOf(url);
    let unique = name;
    let number = numbers.get(name) ?? 1;
    while (filesOf(unique).some((file) => taken.has(file))) unique = numbered(name, ++number);
    numbers.set(name, number);
    for (const file of filesOf(unique)) taken.add(file);
    return unique;
  });
}

/** The files that a download of this name makes, as file systems compare them. */
function filesOf(name: string): string[] {
  return [name, partPathOf(name), statePathOf(name)].map((file) =>
    file.normalize("NFC").toLowerCase(),
  );
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
