import type { TlsClientOptions } from "arborio/net";

/** Schemes of proxies. */
export type ProxyScheme = "http" | "https" | "socks5" | "socks5h" | "socks4" | "socks4a";

/** Who one is for a proxy. */
export interface ProxyCredentials {
  /** The name. A colon ends it for HTTP, and cannot be in it. */
  readonly user: string;
  /** Empty for SOCKS4, which has none. */
  readonly password: string;
}

/** A proxy that connections go through. */
export interface ProxyRoute {
  /** How it is spoken to. `socks5h` and `socks4a` leave the lookup of names to it. */
  readonly scheme: ProxyScheme;
  readonly host: string;
  readonly port: number;
  /** `null`: none. */
  readonly credentials: ProxyCredentials | null;
  /** What every request to the proxy itself says, as text, each field with its line end; the credentials are in it. `""` for SOCKS. */
  readonly fieldText: string;
  /** Whether `proxy-authorization` is in it. */
  readonly hasAuthorization: boolean;
  /** How TLS with the proxy itself is made, for `https`. */
  readonly tls: TlsClientOptions;
}

/** Where a connection goes, and how: requests with the same `key` may share one. */
export interface Route {
  /** Stands for everything below: the origin, and a number for the rest, so that no secret is in it. */
  readonly key: string;
  readonly scheme: "http" | "https";
  /** A name, or a numeric address without brackets. */
  readonly host: string;
  readonly port: number;
  /** `null`: no TLS with the origin. */
  readonly tls: TlsClientOptions | null;
  /** SHA-256 of the certificates (DER) that are accepted, in lower-case hexadecimal; empty: any. */
  readonly fingerprints: readonly string[];
  readonly proxy: ProxyRoute | null;
  /** Whether a proxy is asked to connect on although it would forward requests: another protocol is to be spoken there. */
  readonly isTunnelled: boolean;
  /** Path of a Unix socket to connect to instead; `null`: by the network. */
  readonly socketPath: string | null;
  /** Address of this machine to connect from; `null`: any. */
  readonly localHost: string | null;
}

/** Whether requests are sent to the proxy with whole URLs, and no tunnel is made. */
export function isForwarded({ scheme, proxy, isTunnelled }: Route): boolean {
  return (
    scheme === "http" && !isTunnelled && (proxy?.scheme === "http" || proxy?.scheme === "https")
  );
}
