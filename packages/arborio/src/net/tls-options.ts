import type { Pem, TlsClientSettings, TlsIdentity, TlsServerSettings } from "../platform/tls.ts";

/** Versions of TLS, for `versionMin` and `versionMax`. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

interface TlsCommonOptions {
  /** Certificates (PEM) of the authorities that are trusted. Default: the runtime's own list. */
  readonly trusted?: Pem;
  /** Application protocols for ALPN, best first, for example `["h2", "http/1.1"]`. Default: none. */
  readonly alpnProtocols?: readonly string[];
  /** Oldest version to agree upon. Default `"TLSv1.2"`. */
  readonly versionMin?: TlsVersion;
  /** Newest version to agree upon. Default `"TLSv1.3"`. */
  readonly versionMax?: TlsVersion;
  /**
   * `false`: an end of the connection without the closing alert of TLS is taken for the end of the stream, as HTTPS does, whose
   * messages tell themselves where they end. Default `true`: it is an error, since an attacker may have cut the connection.
   */
  readonly requireCloseNotify?: boolean;
}

/** Options of the client's side of TLS. */
export interface TlsClientOptions extends TlsCommonOptions {
  /** The name, or address, to check the server's certificate against; names are sent as SNI. Default: what was connected to. */
  readonly serverName?: string;
  /** `false` accepts any certificate, so anybody may be on the other side. Default `true`. */
  readonly verify?: boolean;
  /** This client's own certificate and key, for servers that ask for one. */
  readonly identity?: TlsIdentity;
  /** An earlier session, from `onSession`, to resume: the handshake is shorter. */
  readonly session?: Uint8Array;
  /** Is given sessions that a later connection to the same server may resume. */
  readonly onSession?: (session: Uint8Array) => void;
  /** Milliseconds that the handshake may take. Default `Infinity`: only the scope around limits it. */
  readonly handshakeTimeoutMs?: number;
}

/** Options of the server's side of TLS. One of `identity`, `identities` and `identityFor` is needed. */
export interface TlsServerOptions extends TlsCommonOptions {
  /** Certificate and key for all clients; with `identities`, for those that ask for another name or none. */
  readonly identity?: TlsIdentity;
  /** Certificate and key by the name that a client asks for; `"*.example.test"` is all names with one more label. */
  readonly identities?: Readonly<Record<string, TlsIdentity>>;
  /** Finds certificate and key for the name that a client asks for, `undefined` if for none; it returns `undefined` to refuse. */
  readonly identityFor?: (serverName: string | undefined) => TlsIdentity | undefined;
  /** Whether clients must show a certificate that `trusted` signed, may, or are not asked. Default `"none"`. */
  readonly clientCertificate?: "none" | "optional" | "required";
  /** Milliseconds that a client's handshake may take. Default 30,000. */
  readonly handshakeTimeoutMs?: number;
}

/** So long a client may take for its handshake with a server, as in AnyIO: it must not hold a connection for nothing. */
const SERVER_HANDSHAKE_MS = 30_000;

/** Checks a client's options. @throws TypeError, RangeError that name the wrong one. */
export function clientSettings(
  options: TlsClientOptions,
  defaultServerName: string,
): TlsClientSettings {
  return {
    side: "client",
    serverName: options.serverName ?? defaultServerName,
    trusted: options.trusted,
    alpnProtocols: options.alpnProtocols ?? [],
    versionMin: options.versionMin ?? "TLSv1.2",
    versionMax: options.versionMax ?? "TLSv1.3",
    requireCloseNotify: options.requireCloseNotify ?? true,
    verify: options.verify ?? true,
    identity: options.identity,
    session: options.session,
    onSession: options.onSession,
  };
}

/** Checks a server's options. @throws TypeError, RangeError that name the wrong one. */
export function serverSettings(options: TlsServerOptions): TlsServerSettings {
  const { identity } = options;
  return {
    side: "server",
    trusted: options.trusted,
    alpnProtocols: options.alpnProtocols ?? [],
    versionMin: options.versionMin ?? "TLSv1.2",
    versionMax: options.versionMax ?? "TLSv1.3",
    requireCloseNotify: options.requireCloseNotify ?? true,
    identityFor: options.identityFor ?? (() => identity),
    clientCertificate: options.clientCertificate ?? "none",
  };
}

/** Milliseconds that a handshake may take. */
export function handshakeLimitMs(side: "client" | "server", given: number | undefined): number {
  return given ?? (side === "client" ? Infinity : SERVER_HANDSHAKE_MS);
}
