import type { SecureContext } from "node:tls";
import type { Pem, TlsClientSettings, TlsIdentity, TlsServerSettings } from "../../platform/tls.ts";
import { lazily } from "./builtin.ts";

const crypto = lazily("node:crypto");
const tls = lazily("node:tls");

/** A certificate with a key that fits, decrypted: rustls, below Deno, takes no other, and says nothing about one that does not fit. */
interface CheckedIdentity {
  readonly cert: string;
  readonly key: string;
}

const checked: WeakMap<TlsIdentity, CheckedIdentity> = new WeakMap();
const clientContexts: WeakMap<TlsClientSettings, SecureContext> = new WeakMap();
const serverContexts: WeakMap<
  TlsServerSettings,
  WeakMap<TlsIdentity, SecureContext>
> = new WeakMap();

/** Tickets of one program are not another's; OpenSSL wants a name for that when clients show certificates. */
const SESSION_ID_CONTEXT = "arborio";

/** @throws TypeError if the certificate or the key cannot be read, or they do not belong together. */
export function checkIdentity(identity: TlsIdentity): CheckedIdentity {
  const known = checked.get(identity);
  if (known !== undefined) return known;
  const { certificate, privateKey, passphrase } = identity;
  const key = attempt(
    "the private key",
    "a key in PEM, and its passphrase if it is encrypted",
    () =>
      crypto().createPrivateKey(
        passphrase === undefined ? privateKey : { key: privateKey, passphrase },
      ),
  );
  const leaf = attempt(
    "the certificate",
    "a certificate in PEM",
    () => new (crypto().X509Certificate)(certificate),
  );
  if (!leaf.checkPrivateKey(key)) {
    throw new TypeError(
      `TLS identity: the private key does not belong to the certificate of ${oneLine(leaf.subject)}, needs the one that does`,
    );
  }
  const pem = key.export({ type: "pkcs8", format: "pem" }) as string;
  const result = { cert: certificate, key: pem };
  checked.set(identity, result);
  return result;
}

function attempt<T>(what: string, needed: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new TypeError(`TLS identity: ${what} cannot be read (${message}), needs ${needed}`, {
      cause: error,
    });
  }
}

function oneLine(subject: string): string {
  return subject.trim().replaceAll("\n", ", ");
}

/** What a client's engine needs beside its socket. */
export function clientContext(settings: TlsClientSettings): SecureContext {
  let context = clientContexts.get(settings);
  if (context === undefined) {
    const { identity, trusted, versionMin, versionMax } = settings;
    context = tls().createSecureContext({
      minVersion: versionMin,
      maxVersion: versionMax,
      ...(trusted === undefined ? {} : { ca: pemList(trusted) }),
      ...(identity === undefined ? {} : checkIdentity(identity)),
    });
    clientContexts.set(settings, context);
  }
  return context;
}

/** The same for all connections with one identity, so that tickets which one of them gave out are good for the next. */
export function serverContext(settings: TlsServerSettings, identity: TlsIdentity): SecureContext {
  let contexts = serverContexts.get(settings);
  if (contexts === undefined) serverContexts.set(settings, (contexts = new WeakMap()));
  let context = contexts.get(identity);
  if (context === undefined) {
    const { trusted, versionMin, versionMax } = settings;
    context = tls().createSecureContext({
      minVersion: versionMin,
      maxVersion: versionMax,
      sessionIdContext: SESSION_ID_CONTEXT,
      ...(trusted === undefined ? {} : { ca: pemList(trusted) }),
      ...checkIdentity(identity),
    });
    contexts.set(identity, context);
  }
  return context;
}

/** One certificate each: engines differ in whether they read beyond the first. */
function pemList(pem: Pem): string[] {
  const text = typeof pem === "string" ? pem : pem.join("\n");
  return (
    text.match(/-----BEGIN ([A-Z0-9 ]*)CERTIFICATE-----[^-]*-----END \1CERTIFICATE-----/g) ?? []
  );
}
