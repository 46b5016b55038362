/**
 * `host [":" port]` as it stands in `Host` and in targets: RFC 9110 §7.2, RFC 3986 §3.2. Narrower than the RFC where it must be a host
 * that a URL can have: no percent-encoding, no user, numbers only as a canonical IPv4 address.
 */
import { parseAddress } from "./ip-address.ts";

const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9\-._~!$&'()*+,;=]+))(?::([0-9]{0,5}))?$/;
const NUMERIC_END = /(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

const PORT_MAX = 65_535;

/** Whether it is a host with or without port. */
export function isAuthority(text: string): boolean {
  const match = AUTHORITY.exec(text);
  if (match === null) return false;
  const [, ipv6, name, port] = match;
  if (port !== undefined && Number(port) > PORT_MAX) return false;
  if (ipv6 !== undefined) return ipv6.includes(":") && parseAddress(ipv6) !== null;
  return name !== undefined && (!NUMERIC_END.test(name) || IPV4.test(name));
}

/** Whether it is a host with a port: what CONNECT asks for. */
export function isAuthorityWithPort(text: string): boolean {
  return /:[0-9]+$/.test(text) && isAuthority(text);
}
