import type { HttpClientOptions } from "../client/client-options.ts";
import {
  type AddressRange,
  isFirstOfRange,
  isInRange,
  parseAddress,
  parseAddressRange,
} from "../protocol/ip-address.ts";
import { reachedAddress, specialUseOf } from "./special-addresses.ts";
import { requireKnown } from "../client/require-option.ts";

/** What `guardAddress` of a client takes. */
export type AddressGuard = NonNullable<HttpClientOptions["guardAddress"]>;

/** Options of `publicAddressesOnly`. */
export interface PublicAddressesOnlyOptions {
  /** Numeric addresses and ranges (`"10.1.0.0/16"`) that are allowed besides. */
  readonly allow?: readonly string[];
  /** Numeric addresses and ranges that are forbidden besides, also within what is allowed: public addresses of one's own, say. */
  readonly deny?: readonly string[];
}

const NAMES: Readonly<Record<keyof PublicAddressesOnlyOptions, true>> = { allow: true, deny: true };

/**
 * A guard for `openHttpClient({ guardAddress })` that lets requests reach the public Internet alone, for programs that ask for URLs of
 * strangers (against server-side request forgery). It refuses loopback, private, link-local and unique local addresses, those of clouds'
 * metadata, multicast, broadcast, and all else that IANA's registries keep from the Internet; IPv4 addresses within IPv6 ones are
 * judged by what they are: `::ffff:10.0.0.1` and `64:ff9b::10.0.0.1` as `10.0.0.1`.
 *
 * It is asked about the addresses that are about to be connected to, after names were looked up: so neither names that change what they mean (DNS
 * rebinding), nor other ways to write an address, nor redirects lead around it. A request that is refused fails with a `RequestFailedError` of
 * reason `"refused"`.
 *
 * What it cannot see: a proxy looks names up itself, unless it is one of `socks5:` or `socks4:`, so that the proxy has to be the guard for
 * those. The proxy's own address is not judged: the program chose it. Neither are Unix sockets. A network that translates to IPv4
 * by a prefix of its own (RFC 6052 §2.2) has to be in `deny`.
 *
 * @throws TypeError, RangeError for what is no address or range.
 *
 * Counterpart: none in aiohttp; its cookbook has a connector to be written.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { openHttpClient, publicAddressesOnly } from "@arborio/http";
 *
 * await run(async () => {
 *   await using client = openHttpClient({ guardAddress: publicAddressesOnly() });
 *   const error = await client.fetch("http://2130706433:8080/admin").catch((e) => e);
 *   console.assert(error.reason === "refused"); // That is 127.0.0.1.
 * });
 * ```
 */
export function publicAddressesOnly(options: PublicAddressesOnlyOptions = {}): AddressGuard {
  requireKnown("publicAddressesOnly", options, NAMES);
  const allowed = rangesOf("allow", options.allow ?? []);
  const denied = rangesOf("deny", options.deny ?? []);
  return (address, { role }) => {
    if (role === "proxy") return;
    const written = parseAddress(address);
    if (written === null) throw new RangeError("it is no numeric address");
    const reached = reachedAddress(written);
    const isOneOf = (ranges: readonly AddressRange[]): boolean =>
      ranges.some((range) => isInRange(written, range) || isInRange(reached, range));
    if (isOneOf(denied)) throw new RangeError("it is among those denied");
    if (isOneOf(allowed)) return;
    const use = specialUseOf(reached);
    if (use !== null) throw new RangeError(`it is not public: ${use}`);
  };
}

function rangesOf(name: string, texts: readonly string[]): readonly AddressRange[] {
  const where = `publicAddressesOnly({ ${name} })`;
  if (!Array.isArray(texts) || texts.some((text) => typeof text !== "string"))
    throw new TypeError(`${where}: got ${String(texts)}, needs a list of texts`);
  return texts.map((text) => {
    const range = parseAddressRange(text);
    if (range !== null && isFirstOfRange(range)) return range;
    throw new RangeError(
      `${where}: got ${JSON.stringify(text)}, needs a numeric address, or a range by its first address, like "10.0.0.0/8" or "fd00::/8"`,
    );
  });
}
