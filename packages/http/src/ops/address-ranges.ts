/** Whether a numeric address is one of those meant. */
export type AddressMatcher = (address: string) => boolean;

/**
 * Addresses and ranges of addresses, compiled. IPv4 and its form within IPv6 (`::ffff:10.0.0.1`) are the same; the scope of an address
 * (`%eth0`) is not looked at.
 *
 * @param ranges numeric addresses (`"10.1.2.3"`, `"::1"`) and ranges (`"10.0.0.0/8"`, `"fd00::/8"`; RFC 4632, RFC 4291 §2.3).
 * @throws TypeError if something is no string, RangeError if it is no address or range.
 *
 * Counterpart: `ipaddress.ip_network`.
 *
 * @example Private addresses
 * ```ts
 * import { createAddressMatcher } from "@arborio/http";
 *
 * const isPrivate = createAddressMatcher(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"]);
 * console.assert(isPrivate("10.1.2.3") && isPrivate("::ffff:192.168.7.1"));
 * console.assert(!isPrivate("11.0.0.1"));
 * ```
 */
export function createAddressMatcher(ranges: readonly string[]): AddressMatcher {
  const parsed = ranges.map(parseRange);
  return (address) => {
    const groups = parseAddress(address);
    return groups !== null && parsed.some((range) => contains(range, groups));
  };
}

interface Range {
  readonly groups: readonly number[];
  readonly prefixBits: number;
}

const GROUPS = 8;
const ZEROS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];
const GROUP_BITS = 16;
/** Where IPv4 stands within IPv6: after 96 bits, RFC 4291 §2.5.5.2. */
const IPV4_OFFSET_BITS = 96;

function parseRange(text: string): Range {
  if (typeof text !== "string") {
    throw new TypeError(`createAddressMatcher: got ${typeof text} for a range, needs a string`);
  }
  const slash = text.indexOf("/");
  const groups = parseAddress(slash < 0 ? text : text.slice(0, slash));
  const isIpv4 = !text.includes(":");
  const offset = isIpv4 ? IPV4_OFFSET_BITS : 0;
  const bitsMax = GROUPS * GROUP_BITS - offset;
  const bits = slash < 0 ? bitsMax : parseBits(text.slice(slash + 1));
  if (groups === null || text.includes("%") || !(bits <= bitsMax)) {
    throw new RangeError(
      `createAddressMatcher: got ${JSON.stringify(text)}, needs a numeric address or a range like "10.0.0.0/8" or "fd00::/8"`,
    );
  }
  const prefixBits = offset + bits;
  if (!groups.every((group, index) => (group & ~maskOf(index, prefixBits)) === 0)) {
    throw new RangeError(
      `createAddressMatcher: got ${JSON.stringify(text)}, which has bits set after the first ${bits}, needs the first address of the range`,
    );
  }
  return { groups, prefixBits };
}

function parseBits(text: string): number {
  return /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : NaN;
}

function contains({ groups, prefixBits }: Range, address: readonly number[]): boolean {
  for (let index = 0; index * GROUP_BITS < prefixBits; index++) {
    const difference = (groups[index] as number) ^ (address[index] as number);
    if ((difference & maskOf(index, prefixBits)) !== 0) return false;
  }
  return true;
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
    return ipv4 === null ? null : [0, 0, 0, 0, 0, 0xffff, ...ipv4];
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
