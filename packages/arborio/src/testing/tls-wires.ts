import type { Tls, TlsClientSettings, TlsServerSettings } from "../platform/tls.ts";
import type { Wire } from "../platform/wire.ts";
import { authority, server } from "./certificates.ts";
import { createWirePair, type MemoryWire, type WirePairOptions } from "./wire-pair.ts";
import { WireRecorder } from "./wire-recorder.ts";

/** One side of a connection with TLS in memory. */
export interface TlsSide {
  /** Below TLS. */
  readonly raw: MemoryWire;
  readonly wire: Wire;
  /** The receiver of `wire`. */
  readonly told: WireRecorder;
}

/** Settings of a client that trusts the test authority and asks for `localhost`. */
export function testClient(changes: Partial<TlsClientSettings> = {}): TlsClientSettings {
  return {
    side: "client",
    serverName: "localhost",
    verify: true,
    identity: undefined,
    session: undefined,
    onSession: undefined,
    ...COMMON,
    trusted: authority,
    ...changes,
  };
}

/** Settings of a server for `localhost`. */
export function testServer(changes: Partial<TlsServerSettings> = {}): TlsServerSettings {
  return {
    side: "server",
    identityFor: () => server,
    clientCertificate: "none",
    ...COMMON,
    ...changes,
  };
}

const COMMON = {
  trusted: undefined,
  alpnProtocols: [],
  versionMin: "TLSv1.2",
  versionMax: "TLSv1.3",
  requireCloseNotify: true,
} as const;

/** What `connectTls` may be told. */
export interface ConnectTlsOptions extends WirePairOptions {
  readonly client?: Partial<TlsClientSettings>;
  readonly server?: Partial<TlsServerSettings>;
}

/** Both sides of a connection with TLS, opened; the handshake is under way. */
export function connectTls(tls: Tls, options: ConnectTlsOptions = {}): [TlsSide, TlsSide] {
  const [near, far] = createWirePair(options);
  return [
    openSide(near, tls.wrap(near, testClient(options.client))),
    openSide(far, tls.wrap(far, testServer(options.server))),
  ];
}

function openSide(raw: MemoryWire, wire: Wire): TlsSide {
  const told = new WireRecorder();
  wire.open(told);
  return { raw, wire, told };
}

/** `connectTls`, and the handshake is done. */
export async function connectedTls(
  tls: Tls,
  options: ConnectTlsOptions = {},
): Promise<[TlsSide, TlsSide]> {
  const sides = connectTls(tls, options);
  for (const { told } of sides) await told.until("secured");
  return sides;
}
