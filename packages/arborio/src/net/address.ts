import type { SocketAddress } from "../platform/wire.ts";

/** A version of the internet protocol. */
export type IpFamily = 4 | 6;

/** The interface of a link-local address: a name or an index. */
const SCOPE_ID = /^[0-9A-Za-z.:-]+$/;

/** Bits in one group of an IPv6 address, and how many groups there are. */
const GROUPS = 8;

/**
 * Whether `host` is a numeric address, IPv4 (`"127.0.0.1"`) or IPv6 (`"::1"`, `"fe80::1%eth0"`), rather than a name. Without
 * brackets and without a port. Counterpart: `ipaddress.ip_address` that does not throw.
 *
 * @example Names and addresses
 * ```ts
 * import { isIpAddress } from "arborio/net";
 *
 * console.assert(isIpAddress("::1") && isIpAddress("127.0.0.1"));
 * console.assert(!isIpAddress("localhost") && !isIpAddress("[::1]") && !isIpAddress("127.1"));
 * ```
 */
export function isIpAddress(host: string): boolean {
  return ipFamily(host) !== undefined;
}

/** The version of a numeric address; `undefined` for everything else. */
export function ipFamily(host: unknown): IpFamily | undefined {
  if (typeof host !== "string") return undefined;
  if (!host.includes(":")) return isIpv4(host) ? 4 : undefined;
  return isIpv6(host) ? 6 : undefined;
}

/**
 * An address as people write it: `"127.0.0.1:80"`, `"[::1]:80"`, the path of a Unix socket, `"@name"` for one in the abstract
 * space, `"(unnamed)"` for one without a path.
 *
 * @example For a log
 * ```ts
 * import { formatAddress } from "arborio/net";
 *
 * console.assert(formatAddress({ host: "::1", port: 80 }) === "[::1]:80");
 * ```
 */
export function formatAddress(address: SocketAddress): string {
  if ("path" in address) return formatPath(address.path);
  return formatHostAndPort(address.host, address.port);
}

/** `"example.com:80"`, `"[::1]:80"`. */
export function formatHostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A path of a Unix socket; as in Linux's own tools, `"@"` stands for the NUL that abstract names begin with. */
export function formatPath(path: string): string {
  if (path === "") return "(unnamed)";
  return path.startsWith("\0") ? `@${path.slice(1)}` : path;
}

/** Four decimal numbers; no leading zeros, which some systems take for octal. */
function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return (
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part < 256)
  );
}

/** RFC 4291, section 2.2, with the scope of RFC 4007, section 11. */
function isIpv6(text: string): boolean {
  const percent = text.indexOf("%");
  if (percent >= 0) {
    return SCOPE_ID.test(text.slice(percent + 1)) && isIpv6(text.slice(0, percent));
  }
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const [before = 0, after] = halves.map((half, index) =>
    groupsIn(half, index === halves.length - 1),
  );
  return after === undefined ? before === GROUPS : before + after < GROUPS;
}

/** How many groups of 16 bits there are; `NaN` if something is not one. The last two may be written as an IPv4 address. */
function groupsIn(text: string, isEnd: boolean): number {
  if (text === "") return 0;
  const groups = text.split(":");
  let count = 0;
  for (const [index, group] of groups.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(group)) count += 1;
    else if (isEnd && index === groups.length - 1 && isIpv4(group)) count += 2;
    else return NaN;
  }
  return count;
}
