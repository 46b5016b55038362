import { ambientScope } from "../core/ambient.ts";
import {
  describeValue,
  requireCount,
  requireFlag,
  requireOptions,
  requireTime,
} from "../core/arguments.ts";
import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { SocketOptions, Wire } from "../platform/wire.ts";
import { formatHostAndPort, type IpFamily, ipFamily } from "./address.ts";
import { ConnectionFailedError } from "./errors.ts";
import { connectRacing, LostRace, type RaceTarget } from "./happy-eyeballs.ts";
import { requireHost, requirePort } from "./host-name.ts";
import { requireClientTls } from "./secured.ts";
import type { SocketStream } from "./socket-stream.ts";
import type { TlsClientOptions } from "./tls-options.ts";

/** Options of `connectTcp`. */
export interface ConnectTcpOptions extends SocketOptions {
  /** Numeric address of this machine to connect from. Default: the system chooses. */
  readonly localHost?: string;
  /**
   * Port to connect from, 0 to 65,535. Default 0: the system chooses. Attempts at several addresses of a name cannot share another one
   * while they wait for answers.
   */
  readonly localPort?: number;
  /** Sends small writes at once instead of collecting them (`TCP_NODELAY`). Default `true`. */
  readonly noDelay?: boolean;
  /** Milliseconds of silence after which the system asks whether the other side is still there; `false`: never. Default `false`. */
  readonly keepAliveMs?: number | false;
  /**
   * Milliseconds after which the next address is tried beside those that have not answered; at least 10, as RFC 8305 demands.
   * `Infinity`: only when the one before has failed. Default 250.
   */
  readonly attemptDelayMs?: number;
  /**
   * Numeric addresses of `host` that are known already, at least one: they are tried in this order, the first 32 of them, and nothing is
   * looked up. Default: `host` is looked up.
   */
  readonly addresses?: readonly string[];
  /** Milliseconds that IPv6 addresses are waited for once IPv4 addresses are known. Default 50. */
  readonly resolutionDelayMs?: number;
  /** TLS: `true`, or how. Default: none. */
  readonly tls?: boolean | TlsClientOptions;
}

/** Attempts must not follow one another sooner, in milliseconds (RFC 8305, section 5): networks that lose packets would collapse. */
const ATTEMPT_DELAY_MIN_MS = 10;

/**
 * Connects to a TCP server. A name with several addresses is raced by Happy Eyeballs: IPv6 and IPv4 are looked up at once; the
 * addresses are tried with the families in turns, each as soon as the one before has failed or `attemptDelayMs` have passed; the
 * first connection wins.
 *
 * Whenever it ends, in success, failure or cancellation, no other attempt, socket, lookup or timer is left. There is no time limit
 * but that of the scope around: `failAfter(5000, () => connectTcp(host, port))`.
 *
 * @param host a name or a numeric address, as for `lookup`.
 * @param port 1 to 65,535.
 * @returns the connected stream; with `tls`, its handshake is done.
 * @throws ConnectionFailedError if no address could be connected to; its `attempts` say which failed how. If no address is known, it has
 *   none, and its `cause` is the lookup's error.
 * @throws TlsError, TimeoutError if TLS could not be agreed upon; the connection is closed then, and no other address is tried.
 * @throws TypeError, RangeError for wrong arguments.
 *
 * Counterpart: `anyio.connect_tcp`, `trio.open_tcp_stream`. Source: RFC 8305.
 *
 * @example Within five seconds
 * ```ts
 * import { failAfter, run } from "arborio";
 * import { connectTcp, listenTcp } from "arborio/net";
 *
 * await run(async () => {
 *   using listener = await listenTcp(0);
 *   using stream = await failAfter(5000, () => connectTcp("localhost", listener.port));
 *   await stream.send(new TextEncoder().encode("hello"));
 * });
 * ```
 */
export async function connectTcp(
  host: string,
  port: number,
  options: ConnectTcpOptions = {},
): Promise<SocketStream> {
  const target = requireTarget(host, port, options);
  const { noDelay = true, keepAliveMs = false, tls = false } = options;
  const toStream = requireClientTls(tls, target.host);
  const where = formatHostAndPort(target.host, port);
  const wire = await hostOperation<Wire | LostRace>({
    name: "connect",
    resource: where,
    begin: (backend, completion) =>
      connectRacing(
        requireCapability(backend, "network", "connectTcp"),
        ambientScope().kernel,
        target,
        completion,
      ),
  });
  if (wire instanceof LostRace)
    throw new ConnectionFailedError(where, wire.attempts, wire.lookupErrors);
  // Backends connect without delay and without asking; telling the system so again would cost two calls of it.
  if (!noDelay || keepAliveMs !== false) wire.details.setOptions({ noDelay, keepAliveMs });
  return toStream(wire);
}

function requireTarget(host: string, port: number, options: ConnectTcpOptions): RaceTarget {
  requireOptions("connectTcp(host, port, options)", options, "{ tls: true }");
  const { localHost, localPort, attemptDelayMs = 250, resolutionDelayMs = 50, addresses } = options;
  const { noDelay, keepAliveMs, tls } = options;
  const name = requireHost("connectTcp", host);
  requirePort("connectTcp(host, port)", port, 1);
  if (localPort !== undefined) requirePort("connectTcp({ localPort })", localPort, 0);
  if (noDelay !== undefined) requireFlag("connectTcp({ noDelay })", noDelay);
  if (keepAliveMs !== undefined && keepAliveMs !== false)
    requireCount("connectTcp({ keepAliveMs })", keepAliveMs, 1, false);
  if (tls !== undefined && typeof tls !== "boolean")
    requireOptions("connectTcp({ tls })", tls, "true or { verify: false }");
  requireTime("connectTcp({ resolutionDelayMs })", resolutionDelayMs);
  requireTime("connectTcp({ attemptDelayMs })", attemptDelayMs);
  if (attemptDelayMs < ATTEMPT_DELAY_MIN_MS) {
    throw new RangeError(
      `connectTcp({ attemptDelayMs }): got ${attemptDelayMs}, needs at least ${ATTEMPT_DELAY_MIN_MS} (RFC 8305, section 5)`,
    );
  }
  if (addresses !== undefined) requireAddresses(addresses, localHost);
  const families = addresses === undefined ? familiesFor(name, localHost) : [];
  return {
    host: name,
    port,
    families,
    addresses: addresses ?? [name],
    localHost,
    localPort,
    attemptDelayMs,
    resolutionDelayMs,
  };
}

function requireAddresses(addresses: unknown, localHost: string | undefined): void {
  if (!Array.isArray(addresses)) {
    throw new TypeError(
      `connectTcp({ addresses }): got ${describeValue(addresses)}, needs an array of numeric addresses`,
    );
  }
  if (addresses.length === 0)
    throw new RangeError("connectTcp({ addresses }): got no address, needs at least one");
  for (const address of addresses as unknown[]) {
    if (ipFamily(address) === undefined) {
      throw new RangeError(
        `connectTcp({ addresses }): got ${describeValue(address)}, needs numeric addresses`,
      );
    }
    familiesFor(address as string, localHost);
  }
}

/** The families to look up: those that can be reached from `localHost`; none if `host` is an address. */
function familiesFor(host: string, localHost: string | undefined): readonly IpFamily[] {
  const own = ipFamily(host);
  if (localHost === undefined) return own === undefined ? [6, 4] : [];
  const local = ipFamily(localHost);
  if (local === undefined) {
    throw new RangeError(
      `connectTcp({ localHost }): got ${describeValue(localHost)}, needs a numeric address of this machine`,
    );
  }
  if (own !== undefined && own !== local) {
    throw new RangeError(
      `connectTcp({ localHost }): got ${localHost}, needs an address of the same family as ${host}`,
    );
  }
  return own === undefined ? [local] : [];
}
