import { isIpAddress, type TlsClientOptions } from "arborio/net";
import { fingerprintsFrom } from "./fingerprints.ts";
import type { Numbers } from "./numbers.ts";
import { proxyRoute } from "./proxy-route.ts";
import type { ProxyLike, RouteOptions } from "./route-options.ts";
import type { ProxyRoute } from "./route.ts";
import { tlsOptions } from "./tls-options.ts";

/** What routes have beside their origin. */
export interface RouteSettings {
  readonly tls: TlsClientOptions;
  readonly fingerprints: readonly string[];
  readonly proxy: ProxyRoute | null;
  readonly socketPath: string | null;
  readonly localHost: string | null;
}

/** Route options whose proxy was chosen. */
export type ChosenOptions = Omit<RouteOptions, "proxy"> & { readonly proxy: ProxyLike };

/** @throws TypeError, RangeError that name the option that is wrong. */
export function routeSettings(options: ChosenOptions): RouteSettings {
  const { tls = {}, fingerprints, proxy, socketPath = null, localHost = null } = options;
  if (socketPath !== null && (typeof socketPath !== "string" || socketPath === ""))
    throw new TypeError(`socketPath: got ${JSON.stringify(socketPath)}, needs a path, or null`);
  if (localHost !== null && !isIpAddress(localHost)) {
    throw new RangeError(
      `localHost: got ${JSON.stringify(localHost)}, needs a numeric address of this machine, or null`,
    );
  }
  if (socketPath !== null && proxy !== null)
    throw new TypeError("socketPath, proxy: got both, needs one of them");
  return {
    tls: tlsOptions("tls", tls),
    fingerprints: fingerprints === undefined ? [] : fingerprintsFrom(fingerprints),
    proxy: proxyRoute(proxy),
    socketPath,
    localHost,
  };
}

/**
 * Settings as text: the same for the same, another one for all others. It has secrets in it.
 *
 * @param pems for certificates and keys: they are long, and looked at with each request.
 */
export function settingsText(settings: RouteSettings, pems: Numbers): string {
  const { tls, fingerprints, proxy, socketPath, localHost } = settings;
  return JSON.stringify([
    tlsParts(tls, pems),
    fingerprints,
    proxy === null
      ? null
      : [
          proxy.scheme,
          proxy.host,
          proxy.port,
          proxy.credentials?.user,
          proxy.credentials?.password,
          proxy.fieldText,
          tlsParts(proxy.tls, pems),
        ],
    socketPath,
    localHost,
  ]);
}

/** Every option of TLS, so that a new one cannot be forgotten here. */
function tlsParts(tls: TlsClientOptions, pems: Numbers): unknown[] {
  const { trusted, identity } = tls;
  const parts: Record<keyof TlsClientOptions, unknown> = {
    trusted: pemPart(trusted, pems),
    alpnProtocols: tls.alpnProtocols,
    versionMin: tls.versionMin,
    versionMax: tls.versionMax,
    requireCloseNotify: tls.requireCloseNotify,
    serverName: tls.serverName,
    verify: tls.verify,
    identity:
      identity === undefined
        ? null
        : [
            pemPart(identity.certificate, pems),
            pemPart(identity.privateKey, pems),
            identity.passphrase,
          ],
    session: tls.session === undefined ? null : [...tls.session],
    onSession: tls.onSession === undefined ? null : numberOf(tls.onSession),
    handshakeTimeoutMs: String(tls.handshakeTimeoutMs),
  };
  return Object.values(parts);
}

/** What stands for a text is a text, so that nothing else is taken for it. */
function pemPart(pem: unknown, pems: Numbers): unknown {
  if (typeof pem === "string") return String(pems.of(pem));
  return Array.isArray(pem) ? pem.map((one) => pemPart(one, pems)) : pem;
}

let functionsSeen = 0;
const numbers: WeakMap<object, number> = new WeakMap();

/** Tells functions apart. */
function numberOf(fn: object): number {
  let number = numbers.get(fn);
  if (number === undefined) {
    number = functionsSeen += 1;
    numbers.set(fn, number);
  }
  return number;
}
