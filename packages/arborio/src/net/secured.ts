import type { Wire } from "../platform/wire.ts";
import { SocketStream } from "./socket-stream.ts";
import { clientWrapper } from "./tls.ts";
import type { TlsClientOptions } from "./tls-options.ts";

/** Makes the stream of a new connection, and owns its wire: closed if that fails or is cancelled. */
export type ToClientStream = (wire: Wire) => Promise<SocketStream>;

/**
 * Checks what a client says about TLS, before it connects, and returns what makes the stream; with TLS, its handshake is done.
 *
 * @param serverName what is connected to.
 */
export function requireClientTls(
  tls: boolean | TlsClientOptions,
  serverName: string,
): ToClientStream {
  if (tls === false) return (wire) => Promise.resolve(new SocketStream(wire));
  const wrap = clientWrapper(tls === true ? {} : tls, serverName);
  return async (wire) => {
    let stream: SocketStream | undefined;
    try {
      stream = wrap(wire);
      await stream.handshake();
      return stream;
    } catch (error) {
      if (stream === undefined) wire.close(true);
      else stream.close();
      throw error;
    }
  };
}
