/**
 * Addresses that are not those of hosts on the public Internet, after the registries of IANA:
 * https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry,
 * https://www.iana.org/assignments/ipv6-address-space and the multicast registries. Blocks that they have as globally reachable
 * within others, anycast addresses of protocols (192.0.0.9, 2001:1::1, …), serve no HTTP, and are left out with the rest.
 */
import { type AddressRange, isInRange, parseAddressRange } from "../protocol/ip-address.ts";

/** Ranges with what they are for. */
const SPECIAL: readonly (readonly [range: string, what: string])[] = [
  ["0.0.0.0/8", "this network (RFC 791)"],
  ["10.0.0.0/8", "private (RFC 1918)"],
  ["100.64.0.0/10", "shared by a provider's customers (RFC 6598)"],
  ["127.0.0.0/8", "loopback (RFC 1122)"],
  ["169.254.0.0/16", "link-local (RFC 3927), where clouds have their metadata"],
  ["172.16.0.0/12", "private (RFC 1918)"],
  ["192.0.0.0/24", "assigned to protocols (RFC 6890)"],
  ["192.0.2.0/24", "documentation (RFC 5737)"],
  ["192.31.196.0/24", "AS112 (RFC 7535)"],
  ["192.52.193.0/24", "AMT (RFC 7450)"],
  ["192.88.99.0/24", "6to4 relays (RFC 7526)"],
  ["192.168.0.0/16", "private (RFC 1918)"],
  ["192.175.48.0/24", "AS112 (RFC 7534)"],
  ["198.18.0.0/15", "benchmarks (RFC 2544)"],
  ["198.51.100.0/24", "documentation (RFC 5737)"],
  ["203.0.113.0/24", "documentation (RFC 5737)"],
  ["224.0.0.0/4", "multicast (RFC 5771)"],
  ["240.0.0.0/4", "reserved, and broadcast (RFC 1112, RFC 919)"],
  // In no registry: the host beneath a virtual machine of Azure, from anywhere else not to be reached.
  ["168.63.129.16", "metadata of Azure"],
  ["2001::/23", "assigned to protocols: Teredo, benchmarks, ORCHID (RFC 2928)"],
  ["2001:db8::/32", "documentation (RFC 3849)"],
  ["2002::/16", "6to4 (RFC 3056): it leads to an IPv4 address"],
  ["2620:4f:8000::/48", "AS112 (RFC 7534)"],
  ["3fff::/20", "documentation (RFC 9637)"],
];

const SPECIAL_RANGES: readonly { readonly range: AddressRange; readonly what: string }[] =
  SPECIAL.map(([text, what]) => ({ range: parseAddressRange(text) as AddressRange, what }));

/** What IPv4 is within IPv6: `::ffff:0:0/96`. */
const IPV4 = parseAddressRange("0.0.0.0/0") as AddressRange;

/** All of IPv6 that has been given out as unicast addresses of the Internet (RFC 4291 §2.4, IANA's "IPv6 Global Unicast Address Assignments"). */
const GLOBAL_UNICAST = parseAddressRange("2000::/3") as AddressRange;

/** Translated to IPv4 on the way (RFC 6052 §2.1): what resolvers give for names that have but IPv4, where a network has but IPv6. */
const TRANSLATED = parseAddressRange("64:ff9b::/96") as AddressRange;

/**
 * What an address is in the end: the IPv4 address that stands in it, as groups of IPv4 within IPv6, or itself. 6to4 and Teredo are not
 * taken apart, since they are special themselves.
 */
export function reachedAddress(groups: readonly number[]): readonly number[] {
  if (!isInRange(groups, TRANSLATED)) return groups;
  return [...IPV4.groups.slice(0, 6), ...groups.slice(6)];
}

/** What an address is for; `null`: a host on the public Internet. `groups` as `reachedAddress` gives them. */
export function specialUseOf(groups: readonly number[]): string | null {
  const special = SPECIAL_RANGES.find(({ range }) => isInRange(groups, range));
  if (special !== undefined) return special.what;
  if (isInRange(groups, IPV4) || isInRange(groups, GLOBAL_UNICAST)) return null;
  return "no address of the public Internet: loopback, unique local, link-local, multicast, or not assigned (RFC 4291 §2.4)";
}
