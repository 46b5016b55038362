import { ipFamily } from "./address.ts";

/** How a socket of IPv6 writes an address of IPv4 (RFC 4291, section 2.5.5.2). */
export function mappedHost(host: string): string {
  return `::ffff:${host}`;
}

/**
 * One spelling for each numeric address, for comparing. Without the network interface of a link-local address, which not every runtime
 * tells.
 */
export function canonicalHost(host: string): string {
  if (ipFamily(host) !== 6) return host;
  const [address = ""] = host.split("%");
  // The URL standard writes an IPv6 address in one way only, whatever it was.
  return new URL(`http://[${address}]`).hostname;
}

/** Where a socket goes that is connected to all addresses: to this machine. Said here, since not every system does so. */
export function reachableHost(host: string): string {
  const canonical = canonicalHost(host);
  if (canonical === "0.0.0.0") return "127.0.0.1";
  return canonical === "[::]" ? "::1" : host;
}
