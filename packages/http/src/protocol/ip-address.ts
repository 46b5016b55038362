/** Numeric addresses (RFC 4291 §2.2, RFC 5952) as numbers, so that all ways to write one are the same. */

/** Groups of 16 bits in an IPv6 address. */
const GROUPS = 8;
const GROUP_BITS = 16;
const ZEROS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];
/** What IPv4 stands behind within IPv6: RFC 4291 §2.5.5.2. */
const IPV4_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0xffff];

/** All addresses that begin with the same bits. */
export interface AddressRange {
  /** The first of them, IPv4 within IPv6. */
  readonly groups: readonly number[];
  /** How many bits of it count. */
  readonly prefixBits: number;
}

/** Whether an address, as `parseAddress` gives it, is one of a range. */
export function isInRange(address: readonly number[], range: AddressRange): boolean {
  const { groups, prefixBits } = range;
  for (let index = 0; index * GROUP_BITS < prefixBits; index++) {
    const difference = (groups[index] as number) ^ (address[index] as number);
    if ((difference & maskOf(index, prefixBits)) !== 0) return false;
  }
  return true;
}

/** A range (`"10.0.0.0/8"`, `"fd00::/8"`; RFC 4632, RFC 4291 §2.3), or the one address; `null` for everything else. */
export function parseAddressRange(text: string): AddressRange | null {
  const slash = text.indexOf("/");
  const groups = text.includes("%") ? null : parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (groups === null) return null;
  const offset = text.includes(":") ? 0 : IPV4_PREFIX.length * GROUP_BITS;
  const bitsMax = GROUPS * GROUP_BITS - offset;
  const bits = slash < 0 ? bitsMax : parseBits(text.slice(slash + 1));
  return bits <= bitsMax ? { groups, prefixBits: offset + bits } : null;
}

/** Whether the address that a range was written with is its first: no bits are set behind the prefix. */
export function isFirstOfRange({ groups, prefixBits }: AddressRange): boolean {
  return groups.every((group, index) => (group & ~maskOf(index, prefixBits)) === 0);
}

function parseBits(text: string): number {
  return /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : NaN;
}

/** The bits of a group that belong to the prefix. */
function maskOf(index: number, prefixBits: number): number {
  const bits = Math.min(Math.max(prefixBits - index * GROUP_BITS, 0), GROUP_BITS);
  return (0xffff << (GROUP_BITS - bits)) & 0xffff;
}

/** The interface of a link-local address: a name or an index. RFC 4007 §11. */
const SCOPE_ID = /^[0-9A-Za-z.:-]+$/;

/** The eight groups of a numeric address, IPv4 within IPv6; `null` for everything else. */
export function parseAddress(text: string): readonly number[] | null {
  if (!text.includes(":")) {
    const ipv4 = parseIpv4(text);
    return ipv4 === null ? null : [...IPV4_PREFIX, ...ipv4];
  }
  const percent = text.indexOf("%");
  if (percent >= 0 && !SCOPE_ID.test(text.slice(percent + 1))) return null;
  return parseIpv6(percent < 0 ? text : text.slice(0, percent));
}

/** Two groups. No leading zeros, which some systems take for octal. */
function parseIpv4(text: string): readonly [number, number] | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const bytes = match.slice(1).map((part) => (/^0\d/.test(part) ? NaN : Number(part)));
  if (!bytes.every((byte) => byte <= 255)) return null;
  const [a, b, c, d] = bytes as [number, number, number, number];
  return [(a << 8) | b, (c << 8) | d];
}

/** RFC 4291 §2.2. */
function parseIpv6(text: string): readonly number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [before, after] = halves.map((half, index) =>
    parseGroups(half, index === halves.length - 1),
  );
  if (before === undefined || before === null || after === null) return null;
  if (after === undefined) return before.length === GROUPS ? before : null;
  const missing = GROUPS - before.length - after.length;
  return missing < 1 ? null : [...before, ...ZEROS.slice(0, missing), ...after];
}

function parseGroups(text: string, isEnd: boolean): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : null;
    if (ipv4 !== null) groups.push(...ipv4);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

/** The bytes of a numeric address, 4 or 16; `null` for everything else, and for one with a scope, which only this machine knows. */
export function addressBytes(text: string): Uint8Array | null {
  const groups = text.includes("%") ? null : parseAddress(text);
  if (groups === null) return null;
  const significant = text.includes(":") ? groups : groups.slice(IPV4_PREFIX.length);
  return Uint8Array.from(significant.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The address of 4 or 16 bytes as text; that of IPv6 as RFC 5952 §4 has it. */
export function formatAddressBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    (((bytes[2 * index] as number) << 8) | (bytes[2 * index + 1] as number)).toString(16),
  );
  const longest = longestZeros(groups);
  if (longest === null) return groups.join(":");
  const { start, end } = longest;
  return `${groups.slice(0, start).join(":")}::${groups.slice(end).join(":")}`;
}

/** The longest run of two zeros and more, of equals the first. */
function longestZeros(groups: readonly string[]): { start: number; end: number } | null {
  let longest = { start: 0, end: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === "0") end += 1;
    if (end - start > longest.end - longest.start) longest = { start, end };
  }
  return longest.end - longest.start > 1 ? longest : null;
}
