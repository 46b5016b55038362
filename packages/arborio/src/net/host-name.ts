import { describeValue } from "../core/arguments.ts";
import { ipFamily } from "./address.ts";

/** Longest name in the domain name system, in ASCII, without the dot at its end (RFC 1035, section 2.3.4). */
const NAME_LENGTH_MAX = 253;

/** What no name has: controls, spaces, and what separates the parts of a URL (its standard's forbidden host code points, and a colon). */
// oxlint-disable-next-line no-control-regex -- controls are what it is about
const FORBIDDEN = /[\u0000-\u0020"#%/:<>?@[\\\]^`|\u007F]/;

/**
 * A host as the system understands it: numeric addresses and names in ASCII as they are, other names in the ASCII form that
 * the URL standard gives them (UTS 46, as in browsers).
 *
 * @throws TypeError, RangeError if `host` can be neither a name nor an address.
 */
export function requireHost(where: string, host: unknown): string {
  if (typeof host !== "string")
    throw new TypeError(`${where}: got ${describeValue(host)}, needs a name or numeric address`);
  if (ipFamily(host) !== undefined) return host;
  const [forbidden] = FORBIDDEN.exec(host) ?? [];
  if (host === "" || forbidden !== undefined) {
    throw new RangeError(
      `${where}: got ${describeValue(host)}, needs a name such as "example.com" or a numeric address${hintFor(host)}`,
    );
  }
  const name = toAscii(where, host);
  const length = name.endsWith(".") ? name.length - 1 : name.length;
  if (length > NAME_LENGTH_MAX) {
    throw new RangeError(
      `${where}: got a name of ${length} characters (${describeValue(host)}), needs at most ${NAME_LENGTH_MAX}`,
    );
  }
  return name;
}

/** The usual mistakes. */
function hintFor(host: string): string {
  if (host.includes("://")) return "; new URL(text).hostname takes it out of a URL";
  if (host.startsWith("[") && host.endsWith("]")) return ", here without the brackets";
  if (/^[^:]+:\d+$/.test(host)) return "; the port is an argument of its own";
  return "";
}

function toAscii(where: string, name: string): string {
  if (/^[\u0021-\u007E]*$/.test(name)) return name;
  try {
    return new URL(`http://${name}`).hostname;
  } catch (error) {
    throw new RangeError(
      `${where}: got ${describeValue(name)}, needs a name that has a form in ASCII (UTS 46)`,
      { cause: error },
    );
  }
}

/** Throws unless `port` is a whole number from `min` to 65,535. */
export function requirePort(where: string, port: unknown, min: 0 | 1): void {
  const needed = `needs a whole number from ${min} to 65535`;
  if (typeof port !== "number")
    throw new TypeError(`${where}: got ${describeValue(port)}, ${needed}`);
  if (!Number.isInteger(port) || port < min || port > 65_535)
    throw new RangeError(`${where}: got ${port}, ${needed}`);
}
