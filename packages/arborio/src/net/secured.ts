import type { Wire } from "../platform/wire.ts";
import { SocketStream } from "./socket-stream.ts";
import { secureClient } from "./tls.ts";
import type { TlsClientOptions } from "./tls-options.ts";

/**
 * The stream of a new connection, with the client's side of TLS if that is asked for: then its handshake is done. The wire is closed
 * if that fails or is cancelled.
 */
export async function secured(
  wire: Wire,
  tls: boolean | TlsClientOptions,
  serverName: string,
): Promise<SocketStream> {
  if (tls === false) return new SocketStream(wire);
  let stream: SocketStream | undefined;
  try {
    stream = secureClient(wire, tls === true ? {} : tls, serverName);
    await stream.handshake();
    return stream;
  } catch (error) {
    if (stream === undefined) wire.close(true);
    else stream.close();
    throw error;
  }
}
