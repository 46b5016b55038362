import { TlsError, type TlsFailure } from "../../core/errors.ts";

/** Codes of failed certificates: OpenSSL's names, which Bun and Deno use too. Whatever else is wrong with one is `"untrusted"`. */
const CERTIFICATE_CODES: Readonly<Record<string, TlsFailure>> = {
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not-yet-valid",
  CERT_REVOKED: "revoked",
  CERT_CHAIN_TOO_LONG: "untrusted",
  CERT_REJECTED: "untrusted",
  CERT_SIGNATURE_FAILURE: "untrusted",
  CERT_UNTRUSTED: "untrusted",
  DEPTH_ZERO_SELF_SIGNED_CERT: "untrusted",
  HOSTNAME_MISMATCH: "wrong-name",
  INVALID_CA: "untrusted",
  INVALID_PURPOSE: "untrusted",
  PATH_LENGTH_EXCEEDED: "untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted",
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: "untrusted",
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "untrusted",
  ERR_TLS_CERT_ALTNAME_FORMAT: "wrong-name",
  ERR_TLS_CERT_ALTNAME_INVALID: "wrong-name",
};

/**
 * What engines write into codes and messages, the first that is found counts. OpenSSL and BoringSSL have words of one alphabet
 * (`ERR_SSL_TLSV1_ALERT_UNKNOWN_CA`), rustls has its own messages (`received fatal alert: UnknownCA`).
 */
const WORDS: readonly (readonly [RegExp, TlsFailure])[] = [
  [/CERTIFICATE_?REQUIRED|DID_NOT_RETURN_A_CERTIFICATE/i, "certificate-required"],
  [/NO_?APPLICATION_?PROTOCOL/i, "no-common-protocol"],
  [/UNRECOGNI[SZ]ED_?NAME/i, "wrong-name"],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|(UNSUPPORTED_)?CERTIFICATE\w*|ACCESS_DENIED)/, "rejected"],
  [/alert: (UnknownCA|BadCertificate|(Unsupported)?Certificate\w+|AccessDenied)/, "rejected"],
  [/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|NO_PROTOCOLS_AVAILABLE/, "no-common-version"],
  [/UNSUPPORTED_SSL_VERSION|VERSION_TOO_LOW/, "no-common-version"],
  // All clients of TLS 1.2 and later send this extension.
  [/SignatureAlgorithmsExtensionRequired/, "no-common-version"],
  [/ProtocolVersion|Tls1[23]\w*NotOffered|DoesNotSupportTls1[23]/, "no-common-version"],
];

/** What people should read, before the runtime's own words. */
const TEXTS: Readonly<Record<TlsFailure, string>> = {
  untrusted: "its certificate is not signed by anybody who is trusted",
  expired: "its certificate has expired",
  "not-yet-valid": "its certificate is not valid yet",
  "wrong-name": "it has no certificate for this name",
  revoked: "its certificate was revoked",
  "certificate-required": "a certificate of the client is required, and there was none",
  rejected: "the other side does not accept the certificate of this one",
  "no-common-version": "the two sides have no version of TLS in common",
  "no-common-protocol": "the two sides have no application protocol (ALPN) in common",
  "not-tls": "the other side does not speak TLS",
  "handshake-cut": "the other side closed the connection during the handshake",
  truncated:
    "the connection ended without the closing alert of TLS, so something may be missing; { requireCloseNotify: false } allows it",
  protocol: "TLS failed",
};

/** The library's error for one of an engine. `attempt` says with whom: `"TLS with example.com"`. */
export function toTlsError(attempt: string, error: unknown): TlsError {
  if (error instanceof TlsError) return error;
  const { code } = (error ?? {}) as { code?: unknown };
  const message = error instanceof Error ? error.message.trim() : String(error);
  const told = typeof code === "string" ? code : message;
  return tlsError(attempt, reasonOf(told, message), detailOf(told, message), error);
}

/** OpenSSL's and BoringSSL's messages say no more than their codes, and where in their sources; rustls's say more. */
function detailOf(code: string, message: string): string {
  return code === message || message.includes("error:") ? code : `${code}, ${message}`;
}

/** An error of our own making. `detail` comes last in its message. */
export function tlsError(
  attempt: string,
  reason: TlsFailure,
  detail?: string,
  cause?: unknown,
): TlsError {
  const text = detail === undefined ? TEXTS[reason] : `${TEXTS[reason]} (${detail})`;
  return new TlsError(`${attempt}: ${text}`, reason, cause === undefined ? undefined : { cause });
}

function reasonOf(code: string, message: string): TlsFailure {
  const known = CERTIFICATE_CODES[code];
  if (known !== undefined) return known;
  for (const [pattern, reason] of WORDS) if (pattern.test(code)) return reason;
  for (const [pattern, reason] of WORDS) if (pattern.test(message)) return reason;
  return "protocol";
}
