import {
  type AddressRange,
  isFirstOfRange,
  isInRange,
  parseAddress,
  parseAddressRange,
} from "../protocol/ip-address.ts";

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
    return groups !== null && parsed.some((range) => isInRange(groups, range));
  };
}

function parseRange(text: string): AddressRange {
  if (typeof text !== "string") {
    throw new TypeError(`createAddressMatcher: got ${typeof text} for a range, needs a string`);
  }
  const range = parseAddressRange(text);
  if (range === null) {
    throw new RangeError(
      `createAddressMatcher: got ${JSON.stringify(text)}, needs a numeric address or a range like "10.0.0.0/8" or "fd00::/8"`,
    );
  }
  if (!isFirstOfRange(range)) {
    throw new RangeError(
      `createAddressMatcher: got ${JSON.stringify(text)}, which has bits set after the first ${text.slice(text.indexOf("/") + 1)}, needs the first address of the range`,
    );
  }
  return range;
}
