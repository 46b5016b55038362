import { isAuthority } from "../authority.ts";
import { addressBytes } from "../ip-address.ts";

/** Whom a proxy connects to, and as whom it is asked. */
export interface SocksOptions {
  /** Which SOCKS the proxy speaks. 5: names, IPv4, IPv6, passwords (RFC 1928, RFC 1929). 4: names (as 4a) and IPv4. Default 5. */
  readonly version?: 4 | 5;
  /** A name in ASCII, or a numeric address; that of IPv6 with or without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** User and password, in at most 255 bytes of UTF-8 each. SOCKS4 has only the user. Default: none. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /**
   * Who finds the address of a name. `"proxy"`: it gets the name, and nobody here learns whom it connects to (`socks5h`, `socks4a`).
   * `"client"`: `host` has to be an address. Default `"proxy"`.
   */
  readonly resolveAt?: "proxy" | "client";
}

/** The options, checked and as bytes. */
export interface SocksTarget {
  readonly version: 4 | 5;
  /** 4 bytes of IPv4, 16 of IPv6, or a name in ASCII. */
  readonly address: Uint8Array;
  readonly isName: boolean;
  readonly port: number;
  readonly credentials: { readonly user: Uint8Array; readonly password: Uint8Array } | null;
  /** Host and port, for people. */
  readonly shown: string;
}

/** What fits behind a byte that tells the length: RFC 1928 §5, RFC 1929 §2. */
const TEXT_BYTES_MAX = 255;
const PORT_MAX = 65_535;

const encoder = new TextEncoder();

/** @throws TypeError or RangeError if something cannot be said in the protocol. */
export function socksTarget(options: SocksOptions): SocksTarget {
  const { version = 5, port, resolveAt = "proxy" } = options;
  if (version !== 4 && version !== 5) {
    throw new RangeError(`SocksHandshake: got version ${String(version)}, needs 4 or 5`);
  }
  if (resolveAt !== "proxy" && resolveAt !== "client") {
    throw new TypeError(
      `SocksHandshake: got resolveAt ${JSON.stringify(resolveAt)}, needs "proxy" or "client"`,
    );
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= PORT_MAX)) {
    throw new RangeError(
      `SocksHandshake: got port ${String(port)}, needs an integer from 1 to ${PORT_MAX}`,
    );
  }
  const host = options.host.replace(/^\[([^\]]*:[^\]]*)\]$/, "$1");
  const numeric = addressBytes(host);
  if (numeric === null) requireName(host, resolveAt);
  if (numeric !== null && version === 4) requireSocks4Address(host, numeric);
  return {
    version,
    address: numeric ?? encoder.encode(host),
    isName: numeric === null,
    port,
    credentials: credentialsOf(version, options.credentials),
    shown: `${host.includes(":") ? `[${host}]` : host}:${port}`,
  };
}

function requireName(host: string, resolveAt: "proxy" | "client"): void {
  const shown = JSON.stringify(host.slice(0, TEXT_BYTES_MAX));
  if (resolveAt === "client") {
    throw new TypeError(
      `SocksHandshake({ resolveAt: "client" }): got the host ${shown}, needs its numeric address`,
    );
  }
  if (host.includes(":") || host.length > TEXT_BYTES_MAX || !isAuthority(host)) {
    throw new TypeError(
      `SocksHandshake: got the host ${shown}, needs a numeric address, or a name in ASCII of ${TEXT_BYTES_MAX} characters at most`,
    );
  }
}

function requireSocks4Address(host: string, address: Uint8Array): void {
  if (address.length !== 4) {
    throw new TypeError(
      `SocksHandshake({ version: 4 }): got the host [${host}], needs an address of IPv4, or version 5`,
    );
  }
  // These mean "a name follows": the specification of SOCKS4a.
  if (/^0\.0\.0\.[1-9]/.test(host)) {
    throw new TypeError(
      `SocksHandshake({ version: 4 }): got the host ${host}, which SOCKS4 cannot name, needs another, or version 5`,
    );
  }
}

function credentialsOf(
  version: 4 | 5,
  given: SocksOptions["credentials"],
): SocksTarget["credentials"] {
  if (given === undefined) return null;
  const user = encoder.encode(given.user);
  const password = encoder.encode(given.password);
  if (user.length < 1 || user.length > TEXT_BYTES_MAX || password.length > TEXT_BYTES_MAX) {
    throw new RangeError(
      `SocksHandshake({ credentials }): got a user of ${user.length} bytes and a password of ${password.length}, needs 1 to ${TEXT_BYTES_MAX}, and ${TEXT_BYTES_MAX} at most`,
    );
  }
  if (version === 4 && (password.length > 0 || user.includes(0))) {
    throw new TypeError(
      "SocksHandshake({ version: 4, credentials }): got a password, or a user with the character 0: SOCKS4 needs a user without, and an empty password",
    );
  }
  return { user, password };
}
