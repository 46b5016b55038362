import { describeValue, requireFunction } from "../core/arguments.ts";
import type { TlsIdentity, TlsServerSettings } from "../platform/tls.ts";
import type { TlsServerOptions } from "./tls-options.ts";

type IdentityFor = TlsServerSettings["identityFor"];

/** All identities that are known before any client asks. */
export function knownIdentities({ identity, identities }: TlsServerOptions): TlsIdentity[] {
  return [...(identity === undefined ? [] : [identity]), ...Object.values(identities ?? {})];
}

/** Makes one function of the three ways to give a server its identities. @throws TypeError if there is none, or one too many. */
export function identitiesByName(options: TlsServerOptions): IdentityFor {
  const { identity, identities, identityFor } = options;
  if (identityFor !== undefined) {
    requireFunction("tls({ identityFor })", identityFor);
    if (identity === undefined && identities === undefined) return identityFor;
    throw new TypeError(
      "tls({ identityFor }): got identity or identities too, needs identityFor alone, which can return any of them",
    );
  }
  if (identity !== undefined) requireIdentity("tls({ identity })", identity);
  const byName = new Map<string, TlsIdentity>();
  for (const [name, one] of Object.entries(identities ?? {})) {
    requireIdentity(`tls({ identities: ${JSON.stringify(name)} })`, one);
    byName.set(normalized(name), one);
  }
  if (identity === undefined && byName.size === 0) {
    throw new TypeError(
      "tls: a server needs { identity: { certificate, privateKey } }, identities or identityFor",
    );
  }
  return (serverName) => findIdentity(byName, serverName) ?? identity;
}

/** The exact name first, then the wildcard for its first label (RFC 9525, section 6.3). */
function findIdentity(
  byName: ReadonlyMap<string, TlsIdentity>,
  serverName: string | undefined,
): TlsIdentity | undefined {
  if (serverName === undefined) return undefined;
  const name = normalized(serverName);
  return byName.get(name) ?? byName.get(`*${name.slice(name.indexOf("."))}`);
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** Throws `TypeError` unless `identity` is a certificate and a key as text. */
export function requireIdentity(where: string, identity: unknown): void {
  const needed = "needs { certificate, privateKey } with text in PEM";
  if (typeof identity !== "object" || identity === null)
    throw new TypeError(`${where}: got ${describeValue(identity)}, ${needed}`);
  const { certificate, privateKey, passphrase } = identity as Partial<TlsIdentity>;
  for (const [name, value] of Object.entries({ certificate, privateKey, passphrase })) {
    if (typeof value === "string" || (name === "passphrase" && value === undefined)) continue;
    throw new TypeError(`${where}: got ${describeValue(value)} as ${name}, ${needed}`);
  }
}
