/**
 * Which fields matter to the protocol itself. Found by length and first letter, which tell them all apart: no hash, no copy.
 */

/** What is done with a field. */
export const Known = {
  none: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  location: 7,
  contentRange: 8,
  /** From here on: fields that only must not be repeated in a request. */
  authorization: 9,
  contentLocation: 10,
  contentType: 11,
  date: 12,
  from: 13,
  ifModifiedSince: 14,
  ifRange: 15,
  ifUnmodifiedSince: 16,
  maxForwards: 17,
  proxyAuthorization: 18,
  range: 19,
  referer: 20,
  userAgent: 21,
} as const;

const NAMES: readonly (readonly [name: string, known: number])[] = [
  ["Host", Known.host],
  ["Content-Length", Known.contentLength],
  ["Transfer-Encoding", Known.transferEncoding],
  ["Connection", Known.connection],
  ["Upgrade", Known.upgrade],
  ["Expect", Known.expect],
  ["Location", Known.location],
  ["Content-Range", Known.contentRange],
  ["Authorization", Known.authorization],
  ["Content-Location", Known.contentLocation],
  ["Content-Type", Known.contentType],
  ["Date", Known.date],
  ["From", Known.from],
  ["If-Modified-Since", Known.ifModifiedSince],
  ["If-Range", Known.ifRange],
  ["If-Unmodified-Since", Known.ifUnmodifiedSince],
  ["Max-Forwards", Known.maxForwards],
  ["Proxy-Authorization", Known.proxyAuthorization],
  ["Range", Known.range],
  ["Referer", Known.referer],
  ["User-Agent", Known.userAgent],
];

interface Entry {
  readonly name: string;
  readonly lowerCase: string;
  readonly known: number;
}

const LETTERS = 32;
const LENGTH_MAX = 20;
const ENTRIES: (Entry | undefined)[] = Array.from({ length: LENGTH_MAX * LETTERS });
for (const [name, known] of NAMES) {
  ENTRIES[keyOf(name)] = { name, lowerCase: name.toLowerCase(), known };
}

/** The five low bits of a letter are the same in both cases. */
function keyOf(name: string): number {
  return name.length * LETTERS + (name.charCodeAt(0) & (LETTERS - 1));
}

/** Which field it is, whatever the case of its letters; 0: none that matters here. */
export function knownField(name: string): number {
  if (name.length >= LENGTH_MAX) return Known.none;
  const entry = ENTRIES[keyOf(name)];
  if (entry === undefined) return Known.none;
  if (name === entry.name || name === entry.lowerCase) return entry.known;
  return name.toLowerCase() === entry.lowerCase ? entry.known : Known.none;
}
