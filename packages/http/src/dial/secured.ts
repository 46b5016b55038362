import { BrokenResourceError, Cancelled, TimeoutError, TlsError } from "arborio";
import { type SocketStream, type TlsClientOptions, wrapTls } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { DialError, type DialPhase } from "./dial-error.ts";
import { fingerprintOf } from "./fingerprints.ts";

/** What is spoken within. */
const PROTOCOL = "http/1.1";

/** Whom TLS is made with, and how. */
export interface Secured {
  readonly phase: DialPhase;
  /** What was connected to: the name in the certificate, unless `tls` has another. */
  readonly host: string;
  readonly tls: TlsClientOptions;
  /** Empty: any certificate that `tls` accepts. */
  readonly fingerprints: readonly string[];
}

/** Reasons that lie in the other side's certificate. */
const CERTIFICATE_REASONS: ReadonlySet<TlsError["reason"]> = new Set([
  "untrusted",
  "expired",
  "not-yet-valid",
  "wrong-name",
  "revoked",
]);

/**
 * Puts TLS on a stream. An end without the closing alert is an error unless `tls` says otherwise: what is framed by the end of the connection is
 * complete only with it, and what has a length was complete before (RFC 9112 §9.8).
 *
 * @throws DialError if that fails; the stream is closed then.
 */
export async function secured(
  stream: ByteStream,
  { phase, host, tls, fingerprints }: Secured,
): Promise<SocketStream> {
  let inner: SocketStream | undefined;
  try {
    inner = await wrapTls(stream, {
      serverName: host,
      alpnProtocols: [PROTOCOL],
      ...tls,
    });
    requireProtocol(inner, phase, host);
    if (fingerprints.length > 0) requireCertificate(inner, phase, host, fingerprints);
    return inner;
  } catch (error) {
    (inner ?? stream).close();
    throw error instanceof Cancelled || error instanceof DialError
      ? error
      : tlsFailure(error, phase, host);
  }
}

function requireProtocol({ tls }: SocketStream, phase: DialPhase, host: string): void {
  const chosen = tls?.alpnProtocol;
  if (chosen === undefined || chosen === PROTOCOL) return;
  const message = `${host} chose the protocol ${JSON.stringify(chosen)}, which was not offered`;
  throw new DialError(phase, "tls", message);
}

function requireCertificate(
  { tls }: SocketStream,
  phase: DialPhase,
  host: string,
  fingerprints: readonly string[],
): void {
  const certificate = tls?.peerCertificate;
  const fingerprint = certificate === undefined ? "none" : fingerprintOf(certificate);
  if (fingerprints.includes(fingerprint)) return;
  throw new DialError(
    phase,
    "certificate",
    `the certificate of ${host} has the fingerprint ${fingerprint}, which is not one of { fingerprints }`,
  );
}

function tlsFailure(error: unknown, phase: DialPhase, host: string): unknown {
  if (error instanceof TimeoutError)
    return new DialError(phase, "timeout", `TLS with ${host} took too long`, error);
  if (!(error instanceof BrokenResourceError)) return error;
  if (!(error instanceof TlsError) || error.reason === "handshake-cut") {
    const message = `${host} ended the connection while TLS was agreed upon`;
    return new DialError(phase, "disconnected", message, error);
  }
  if (CERTIFICATE_REASONS.has(error.reason)) {
    const message = `the certificate of ${host} is not accepted: ${error.reason}: ${error.message}`;
    return new DialError(phase, "certificate", message, error);
  }
  const message = `TLS with ${host} failed: ${error.reason}: ${error.message}`;
  return new DialError(phase, "tls", message, error);
}
