import type { TlsClientOptions } from "arborio/net";

/** A proxy that connections go through. */
export interface ProxyRoute {
  /** How it is spoken to. `socks5h` and `socks4a` leave the lookup of names to it. */
  readonly scheme: "http" | "https" | "socks5" | "socks5h" | "socks4" | "socks4a";
  readonly host: string;
  readonly port: number;
  /** `null`: none. */
  readonly credentials: { readonly user: string; readonly password: string } | null;
  /** Fields of the request to connect on, names and values in turn; credentials are added. */
  readonly fields: readonly string[];
  /** How TLS with the proxy itself is made, for `https`. */
  readonly tls: TlsClientOptions;
}

/** Where a connection goes, and how: requests with the same `key` may share one. */
export interface Route {
  /** Everything below in one text: origin, and what else tells connections apart. */
  readonly key: string;
  readonly scheme: "http" | "https";
  /** A name, or a numeric address without brackets. */
  readonly host: string;
  readonly port: number;
  /** `null`: no TLS with the origin. */
  readonly tls: TlsClientOptions | null;
  /** SHA-256 of the certificates (DER) that are accepted, in lower-case hexadecimal; empty: any that can be verified. */
  readonly fingerprints: readonly string[];
  readonly proxy: ProxyRoute | null;
  /** Path of a Unix socket to connect to instead; `null`: by the network. */
  readonly socketPath: string | null;
  /** Address of this machine to connect from; `null`: any. */
  readonly localHost: string | null;
}

/** Whether requests are sent to the proxy with whole URLs, and no tunnel is made. */
export function isForwarded({ scheme, proxy }: Route): boolean {
  return scheme === "http" && (proxy?.scheme === "http" || proxy?.scheme === "https");
}
