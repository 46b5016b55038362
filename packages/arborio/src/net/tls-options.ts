import {
  describeValue,
  requireFlag,
  requireFunction,
  requireOptions,
  requireTime,
} from "../core/arguments.ts";
import type { Pem, TlsClientSettings, TlsIdentity, TlsServerSettings } from "../platform/tls.ts";
import { requireHost } from "./host-name.ts";
import { identitiesByName, requireIdentity } from "./tls-identities.ts";

/** Versions of TLS, for `versionMin` and `versionMax`. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** Options of both sides of TLS. */
export interface TlsCommonOptions {
  /** Certificates (PEM) of the authorities that are trusted, and no others. Default: the runtime's own list. */
  readonly trusted?: Pem;
  /** Application protocols for ALPN, best first, for example `["h2", "http/1.1"]`. Default: none. The server's order decides. */
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
  /**
   * An earlier session, from `onSession`, to resume: the handshake is shorter. One that was made for another name, or without `verify`,
   * is not used. Not on Deno.
   */
  readonly session?: Uint8Array;
  /** Is given sessions, once or several times, that a later connection with the same options may resume. Not on Deno. */
  readonly onSession?: (session: Uint8Array) => void;
  /** Milliseconds that the handshake may take. Default `Infinity`: only the scope around limits it. */
  readonly handshakeTimeoutMs?: number;
}

/** Options of the server's side of TLS. One of `identity`, `identities` and `identityFor` is needed. */
export interface TlsServerOptions extends TlsCommonOptions {
  /** Certificate and key for all clients; with `identities`, for those that ask for another name or none. */
  readonly identity?: TlsIdentity;
  /**
   * Certificate and key by the name that a client asks for; `"*.example.test"` is for all names with one more label. Who asks for
   * a name that is not here is refused, unless there is `identity`.
   */
  readonly identities?: Readonly<Record<string, TlsIdentity>>;
  /**
   * Finds certificate and key for the name that a client asks for, `undefined` if for none; it returns `undefined` to refuse. Return
   * the same object for the same identity: what engines make of it is kept with it.
   */
  readonly identityFor?: (serverName: string | undefined) => TlsIdentity | undefined;
  /** Whether clients must show a certificate that `trusted` signed, may, or are not asked. Default `"none"`. */
  readonly clientCertificate?: "none" | "optional" | "required";
  /** Milliseconds that a client's handshake may take. Default 30,000. */
  readonly handshakeTimeoutMs?: number;
}

/** So long a client may take for its handshake with a server, as in AnyIO: it must not hold a connection for nothing. */
const SERVER_HANDSHAKE_MS = 30_000;

/** Longest name of a protocol, in bytes: its length is one byte (RFC 7301, section 3.1). */
const PROTOCOL_BYTES_MAX = 255;
const PROTOCOLS_BYTES_MAX = 65_535;

/** What decides who is trusted must not be overlooked because it has another name: every option is known. */
const COMMON_NAMES: Readonly<Record<keyof TlsCommonOptions | "handshakeTimeoutMs" | "side", true>> =
  {
    trusted: true,
    alpnProtocols: true,
    versionMin: true,
    versionMax: true,
    requireCloseNotify: true,
    handshakeTimeoutMs: true,
    side: true,
  };
const CLIENT_NAMES: Readonly<
  Record<Exclude<keyof TlsClientOptions, keyof typeof COMMON_NAMES>, true>
> = { serverName: true, verify: true, identity: true, session: true, onSession: true };
const SERVER_NAMES: Readonly<
  Record<Exclude<keyof TlsServerOptions, keyof typeof COMMON_NAMES>, true>
> = { identity: true, identities: true, identityFor: true, clientCertificate: true };

const VERSIONS: readonly unknown[] = ["TLSv1.2", "TLSv1.3"];
const WHETHER: readonly unknown[] = ["none", "optional", "required"];

/** Checks a client's options. @throws TypeError, RangeError that name the wrong one. */
export function clientSettings(
  options: TlsClientOptions,
  defaultServerName: string,
): TlsClientSettings {
  requireOptions("tls", options, '{ serverName: "example.com" }');
  requireKnown(options, CLIENT_NAMES);
  const { serverName = defaultServerName, verify = true, identity, session, onSession } = options;
  requireFlag("tls({ verify })", verify);
  if (identity !== undefined) requireIdentity("tls({ identity })", identity);
  if (onSession !== undefined) requireFunction("tls({ onSession })", onSession);
  if (session !== undefined && !(session instanceof Uint8Array)) {
    throw new TypeError(
      `tls({ session }): got ${describeValue(session)}, needs a Uint8Array that onSession gave`,
    );
  }
  return {
    side: "client",
    ...commonSettings(options),
    // Who verifies nothing needs no name.
    serverName: serverName === "" && !verify ? "" : requireServerName(serverName),
    verify,
    identity,
    session,
    onSession,
  };
}

/** Checks a server's options. @throws TypeError, RangeError that name the wrong one. */
export function serverSettings(options: TlsServerOptions): TlsServerSettings {
  requireOptions("tls", options, "{ identity: { certificate, privateKey } }");
  requireKnown(options, SERVER_NAMES);
  const { clientCertificate = "none", trusted } = options;
  requireOneOf("tls({ clientCertificate })", clientCertificate, WHETHER);
  if (clientCertificate !== "none" && trusted === undefined) {
    throw new TypeError(
      `tls({ clientCertificate: "${clientCertificate}" }): needs { trusted } too, the certificates of those who sign clients' certificates`,
    );
  }
  if (clientCertificate === "none" && trusted !== undefined) {
    throw new TypeError(
      'tls({ trusted }): a server asks no client for a certificate by itself, needs { clientCertificate: "required" } or "optional" too',
    );
  }
  const common = commonSettings(options);
  return { side: "server", ...common, identityFor: identitiesByName(options), clientCertificate };
}

/** Milliseconds that a handshake may take. @throws TypeError, RangeError if `given` is no such time. */
export function handshakeLimitMs(side: "client" | "server", given: number | undefined): number {
  if (given !== undefined) requireTime("tls({ handshakeTimeoutMs })", given);
  return given ?? (side === "client" ? Infinity : SERVER_HANDSHAKE_MS);
}

function commonSettings(
  options: TlsCommonOptions,
): Pick<
  TlsClientSettings,
  "trusted" | "alpnProtocols" | "versionMin" | "versionMax" | "requireCloseNotify"
> {
  const { versionMin = "TLSv1.2", versionMax = "TLSv1.3", requireCloseNotify = true } = options;
  const { trusted, alpnProtocols = [] } = options;
  requireOneOf("tls({ versionMin })", versionMin, VERSIONS);
  requireOneOf("tls({ versionMax })", versionMax, VERSIONS);
  if (versionMin > versionMax) {
    throw new RangeError(
      `tls({ versionMin, versionMax }): got ${versionMin} and ${versionMax}, needs versionMin to be the older one`,
    );
  }
  requireFlag("tls({ requireCloseNotify })", requireCloseNotify);
  if (trusted !== undefined) requireCertificates(trusted);
  requireProtocols(alpnProtocols);
  return { trusted, alpnProtocols: [...alpnProtocols], versionMin, versionMax, requireCloseNotify };
}

/** As certificates have it: without the dot at the end of a name (RFC 6066, section 3), without the interface of an address. */
function requireServerName(serverName: unknown): string {
  const name = requireHost("tls({ serverName })", serverName).replace(/\.$/, "");
  const percent = name.indexOf("%");
  return percent < 0 ? name : name.slice(0, percent);
}

function requireCertificates(trusted: unknown): void {
  const texts: readonly unknown[] = Array.isArray(trusted) ? trusted : [trusted];
  const wrong = texts.find(
    (text) => typeof text !== "string" || !text.includes("CERTIFICATE-----"),
  );
  if (texts.length > 0 && wrong === undefined) return;
  throw new TypeError(
    `tls({ trusted }): got ${texts.length === 0 ? "no certificate" : describePem(wrong)}, ` +
      'needs certificates in PEM, as text that has "-----BEGIN CERTIFICATE-----"',
  );
}

/** Of PEM the first line alone: what follows may be a private key. */
function describePem(value: unknown): string {
  const label = typeof value === "string" ? /-----BEGIN [^-\r\n]*-----/.exec(value) : null;
  return describeValue(label === null ? value : label[0]);
}

function requireProtocols(protocols: unknown): void {
  const example = 'such as ["h2", "http/1.1"]';
  if (!Array.isArray(protocols)) {
    throw new TypeError(
      `tls({ alpnProtocols }): got ${describeValue(protocols)}, needs an array ${example}`,
    );
  }
  let total = 0;
  for (const protocol of protocols as unknown[]) {
    if (typeof protocol !== "string" || !/^[\u0021-\u007E]+$/.test(protocol)) {
      throw new TypeError(
        `tls({ alpnProtocols }): got ${describeValue(protocol)} in it, needs names in ASCII ${example}`,
      );
    }
    total += protocol.length + 1;
    if (protocol.length > PROTOCOL_BYTES_MAX || total > PROTOCOLS_BYTES_MAX) {
      throw new RangeError(
        `tls({ alpnProtocols }): got ${describeValue(protocol)}, needs names of at most ${PROTOCOL_BYTES_MAX} bytes, ` +
          `together at most ${PROTOCOLS_BYTES_MAX}`,
      );
    }
  }
}

function requireKnown(options: object, names: Readonly<Record<string, true>>): void {
  const all = { ...COMMON_NAMES, ...names };
  const unknown = Object.entries(options).find(
    ([name, value]) => value !== undefined && !Object.hasOwn(all, name),
  );
  if (unknown === undefined) return;
  throw new TypeError(
    `tls({ ${unknown[0]} }): there is no such option, there are ${Object.keys(all)
      .filter((name) => name !== "side")
      .join(", ")}`,
  );
}

function requireOneOf(where: string, value: unknown, allowed: readonly unknown[]): void {
  if (allowed.includes(value)) return;
  const list = allowed.map((one) => JSON.stringify(one)).join(" or ");
  throw new RangeError(`${where}: got ${describeValue(value)}, needs ${list}`);
}
