import type { Wire } from "./wire.ts";

/** TLS of a backend. */
export interface Tls {
  /**
   * Looks into settings, and identities that are known beforehand, before they are needed: `wrap` with the same ones throws nothing then.
   *
   * @throws TypeError if a certificate or key cannot be read, or they do not belong together; NotSupportedError for a setting that
   *   this runtime cannot keep.
   */
  prepare(settings: TlsSettings, identities: readonly TlsIdentity[]): void;
  /**
   * Puts TLS on a wire that is not open yet, and owns it from then on. The handshake begins when the result is opened, which is
   * told of its end by `secured` or `failed` with a `TlsError`. What is written before is kept until then. An end of the wire
   * below without the closing alert of TLS is `failed` with the reason `"truncated"`, unless the settings allow it.
   *
   * @throws as `prepare`; then the wire is still the caller's.
   */
  wrap(wire: Wire, settings: TlsSettings): Wire;
}

/** Text in PEM, or several of them. */
export type Pem = string | readonly string[];

/** A certificate with its chain, and its key. */
export interface TlsIdentity {
  /** The certificate, then those that signed it, in PEM. */
  readonly certificate: string;
  /** The private key in PEM. */
  readonly privateKey: string;
  /** What decrypts the key, if it is encrypted. */
  readonly passphrase?: string | undefined;
}

/** How to do TLS: what a backend needs to know. */
export type TlsSettings = TlsClientSettings | TlsServerSettings;

/** What both sides have. */
export interface TlsCommonSettings {
  /** Certificates that are trusted; `undefined`: the runtime's own. */
  readonly trusted: Pem | undefined;
  /** Protocols for ALPN, best first. */
  readonly alpnProtocols: readonly string[];
  /** Oldest version to agree upon. */
  readonly versionMin: "TLSv1.2" | "TLSv1.3";
  /** Newest version to agree upon. */
  readonly versionMax: "TLSv1.2" | "TLSv1.3";
  /** `false`: an end of the wire below without the closing alert is an ordinary end. */
  readonly requireCloseNotify: boolean;
}

/** The client's side. */
export interface TlsClientSettings extends TlsCommonSettings {
  /** Tells the two apart. */
  readonly side: "client";
  /** The name to check the server's certificate against; sent as SNI unless it is an address. */
  readonly serverName: string;
  /** `false`: any certificate is good enough. */
  readonly verify: boolean;
  /** What to show to a server that asks. */
  readonly identity: TlsIdentity | undefined;
  /** An earlier session to resume, as `onSession` gave it. */
  readonly session: Uint8Array | undefined;
  /** Gets sessions that a later connection may resume. */
  readonly onSession: ((session: Uint8Array) => void) | undefined;
}

/** The server's side. */
export interface TlsServerSettings extends TlsCommonSettings {
  /** Tells the two apart. */
  readonly side: "server";
  /** The identity for a name that a client asks for; `undefined`: refuse. Called with `undefined` if it asks for none. */
  readonly identityFor: (serverName: string | undefined) => TlsIdentity | undefined;
  /** Whether clients must, may, or need not show a certificate. */
  readonly clientCertificate: "none" | "optional" | "required";
}
