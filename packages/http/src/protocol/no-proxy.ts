import { type AddressRange, isInRange, parseAddress, parseAddressRange } from "./ip-address.ts";

/** Whether a host, without brackets, and a port are to be reached without a proxy. */
export type NoProxyMatcher = (host: string, port: number) => boolean;

/** One entry: what the host has to be, and which port, `null`: any. */
interface Entry {
  readonly matches: (host: string, address: readonly number[] | null) => boolean;
  readonly port: number | null;
}

/** A host, then a port. Colons in the host are those of an address in brackets. */
const WITH_PORT = /^(\[[^\]]*\]|[^:]*):([0-9]{1,5})$/;

/**
 * Reads `NO_PROXY`: entries between commas or white space. What is no entry is passed over, as everybody does.
 *
 * - `*` alone: all hosts.
 * - `example.org`, `.example.org`: that name and all below it, as with curl; `*.example.org`: only those below it.
 * - `10.1.2.3`, `::1`, `[::1]`, `10.0.0.0/8`, `fd00::/8`: addresses, and ranges of them. They match addresses only: names are not
 *   resolved. IPv4 within IPv6 is IPv4.
 * - Each with a port behind it, where IPv6 needs brackets: that port only.
 */
export function parseNoProxy(text: string): NoProxyMatcher {
  const words = text.toLowerCase().split(/[\s,]+/);
  if (words.includes("*")) return () => true;
  const entries = words.map(parseEntry).filter((entry) => entry !== null);
  return (host, port) => {
    const name = plainName(host);
    const address = parseAddress(name);
    return entries.some(
      (entry) => (entry.port === null || entry.port === port) && entry.matches(name, address),
    );
  };
}

function parseEntry(word: string): Entry | null {
  const [, host = word, digits] = WITH_PORT.exec(word) ?? [];
  const port = digits === undefined ? null : Number(digits);
  const range = parseAddressRange(host.replace(/^\[(.*)\]$/, "$1"));
  if (range !== null) return { matches: inRange(range), port };
  const name = plainName(host.replace(/^\*?\./, ""));
  return name === "" ? null : { matches: named(name, host.startsWith("*.")), port };
}

function inRange(range: AddressRange): Entry["matches"] {
  return (_, address) => address !== null && isInRange(address, range);
}

/** Not for addresses: `0.0.1` is not what `127.0.0.1` is below of. */
function named(name: string, isBelow: boolean): Entry["matches"] {
  return (host, address) =>
    address === null && (host.endsWith(`.${name}`) || (!isBelow && host === name));
}

/** As URLs have it: in lower case, and in ASCII; and without the dot at its end. */
function plainName(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (/^[!-~]*$/.test(name)) return name;
  const url = URL.parse(`http://${name}/`);
  return url === null ? "" : url.hostname;
}
