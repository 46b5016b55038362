/**
 * TLS for connections. `connectTcp`, `listenTcp` and their like take `tls` options and come here; `wrapTls` puts it on any stream.
 */
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { Wire } from "../platform/wire.ts";
import { SocketStream } from "./socket-stream.ts";
import {
  clientSettings,
  handshakeLimitMs,
  serverSettings,
  type TlsClientOptions,
  type TlsServerOptions,
} from "./tls-options.ts";

/**
 * Puts the client's side of TLS on a wire that is not open yet. The handshake begins at once: await `stream.handshake()`, which
 * keeps to `handshakeTimeoutMs`, and close the stream if that fails or is cancelled.
 *
 * @param defaultServerName the name or address that was connected to.
 * @throws TypeError, RangeError for a wrong option; NotSupportedError if the backend has no TLS, or cannot do what an option
 *   asks for. The wire is still the caller's then.
 */
export function secureClient(
  wire: Wire,
  options: TlsClientOptions,
  defaultServerName: string,
): SocketStream {
  const settings = clientSettings(options, defaultServerName);
  const tls = requireCapability(currentBackend(), "tls", "TLS");
  const limitMs = handshakeLimitMs("client", options.handshakeTimeoutMs);
  return new SocketStream(tls.wrap(wire, settings), "SocketStream", limitMs);
}

/**
 * Puts the server's side of TLS on one wire that is not open yet; otherwise as `secureClient`. A listener checks its options once
 * instead, by `tlsAcceptor`.
 */
export function secureServer(wire: Wire, options: TlsServerOptions): SocketStream {
  return tlsAcceptor(options)(wire);
}

/**
 * Checks the server's options, and returns what makes the stream of each accepted connection: to be called in the task that
 * begins to listen, since connections are accepted outside all tasks, where nobody knows the backend.
 *
 * @throws as `secureClient`.
 */
export function tlsAcceptor(options: TlsServerOptions): (wire: Wire) => SocketStream {
  const settings = serverSettings(options);
  const tls = requireCapability(currentBackend(), "tls", "TLS");
  const limitMs = handshakeLimitMs("server", options.handshakeTimeoutMs);
  return (wire) => new SocketStream(tls.wrap(wire, settings), "SocketStream", limitMs);
}
