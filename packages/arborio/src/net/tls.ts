/**
 * TLS for connections. `connectTcp`, `listenTcp` and their like take `tls` options and come here; `wrapTls` puts it on any stream.
 */
import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireOptions } from "../core/arguments.ts";
import { checkpointIfCancelled } from "../core/checkpoint.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { TlsIdentity, TlsSettings } from "../platform/tls.ts";
import type { Wire } from "../platform/wire.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import { requireStream, takeWire } from "../streams/take-wire.ts";
import { SocketStream } from "./socket-stream.ts";
import { knownIdentities } from "./tls-identities.ts";
import {
  clientSettings,
  handshakeLimitMs,
  serverSettings,
  type TlsClientOptions,
  type TlsServerOptions,
} from "./tls-options.ts";

/** Options of `wrapTls`: which side this one is, and those of that side. */
export type WrapTlsOptions =
  | ({ readonly side?: "client" } & TlsClientOptions)
  | ({ readonly side: "server" } & TlsServerOptions);

/**
 * Puts TLS on any stream, one of TLS too, and does the handshake: for protocols that begin without (STARTTLS), for proxies, for
 * streams of one's own. What the stream had received and nobody has taken belongs to TLS.
 *
 * The stream is TLS's own from then on, and closed with the returned one; also if the handshake fails or is cancelled. Cancelled at
 * its beginning, or called with wrong arguments, it leaves the stream as it was.
 *
 * @param stream nobody may be using it at the moment.
 * @param options for a client `serverName` is needed, unless `verify` is `false`; a server says `side: "server"`.
 * @returns the stream inside of TLS.
 * @throws TlsError if TLS could not be agreed upon: `reason` says why.
 * @throws TimeoutError if that took longer than `handshakeTimeoutMs`.
 * @throws ClosedResourceError, BrokenResourceError, BusyResourceError if the stream cannot be used.
 * @throws TypeError, RangeError for wrong arguments; NotSupportedError if this runtime cannot do what an option asks for.
 *
 * Counterpart: `anyio.streams.tls.TLSStream.wrap`, `trio.SSLStream`.
 *
 * @example TLS over a stream in memory
 * ```ts
 * import { run, TlsError } from "arborio";
 * import { createMemoryStreamPair } from "arborio/streams";
 * import { wrapTls } from "arborio/net";
 *
 * await run(async () => {
 *   const [near, far] = createMemoryStreamPair();
 *   await far.send(new TextEncoder().encode("HTTP/1.1 400 Bad Request"));
 *   try {
 *     await wrapTls(near, { serverName: "example.com" });
 *   } catch (error) {
 *     console.assert(error instanceof TlsError && error.reason === "not-tls");
 *   }
 * });
 * ```
 */
export async function wrapTls(stream: ByteStream, options: WrapTlsOptions): Promise<SocketStream> {
  checkpointIfCancelled();
  requireStream("wrapTls", stream);
  requireOptions("wrapTls(stream, options)", options, '{ serverName: "example.com" }');
  requireSide(options.side);
  const wrap = options.side === "server" ? tlsAcceptor(options) : clientWrapper(options, "");
  const wrapped = wrap(takeWire(stream));
  try {
    await wrapped.handshake();
    return wrapped;
  } catch (error) {
    wrapped.close();
    throw error;
  }
}

/**
 * Checks the server's options, and returns what makes the stream of each accepted connection: to be called in the task that
 * begins to listen, since connections are accepted outside all tasks, where nobody knows the backend.
 *
 * @throws as `clientWrapper`.
 */
export function tlsAcceptor(options: TlsServerOptions): (wire: Wire) => SocketStream {
  const settings = serverSettings(options);
  return wrapper(
    settings,
    handshakeLimitMs("server", options.handshakeTimeoutMs),
    knownIdentities(options),
  );
}

/**
 * Checks the client's options, and returns what puts its side of TLS on a wire that is not open yet. The handshake begins at once:
 * await `stream.handshake()`, which keeps to `handshakeTimeoutMs`, and close the stream if that fails or is cancelled.
 *
 * @param defaultServerName the name or address that is connected to.
 * @throws TypeError, RangeError for a wrong option; NotSupportedError if the backend has no TLS, or cannot do what an option
 *   asks for.
 */
export function clientWrapper(
  options: TlsClientOptions,
  defaultServerName: string,
): (wire: Wire) => SocketStream {
  const settings = clientSettings(options, defaultServerName);
  const onSession = guarded(settings.onSession);
  const limitMs = handshakeLimitMs("client", options.handshakeTimeoutMs);
  return wrapper({ ...settings, onSession }, limitMs, []);
}

/** Everything that can go wrong with the settings goes wrong here, before there is a wire to lose. */
function wrapper(
  settings: TlsSettings,
  limitMs: number,
  identities: readonly TlsIdentity[],
): (wire: Wire) => SocketStream {
  const tls = requireCapability(currentBackend(), "tls", "TLS");
  tls.prepare(settings, identities);
  return (wire) => new SocketStream(tls.wrap(wire, settings), "SocketStream", limitMs);
}

function requireSide(side: unknown): void {
  if (side === undefined || side === "client" || side === "server") return;
  throw new RangeError(
    `wrapTls(stream, { side }): got ${describeValue(side)}, needs "client" or "server"`,
  );
}

/** What a user's callback throws must not reach the engine that calls it. */
function guarded(
  onSession: ((session: Uint8Array) => void) | undefined,
): ((session: Uint8Array) => void) | undefined {
  if (onSession === undefined) return undefined;
  const { runState } = ambientScope();
  return (session) => {
    try {
      onSession(session);
    } catch (error) {
      runState.onUnhandled(error);
    }
  };
}
