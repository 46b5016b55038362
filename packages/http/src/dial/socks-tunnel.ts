import type { ByteStream } from "arborio/streams";
import { SocksHandshake } from "../protocol/socks/socks-handshake.ts";
import { requireNothing } from "./http-tunnel.ts";
import type { ProxyRoute } from "./route.ts";

/**
 * Asks a SOCKS proxy to connect on: after that the stream leads to the server.
 *
 * @param target its host is a numeric address where the scheme leaves the lookup to this side.
 * @throws SocksError, DialError if it does not; what the stream throws.
 */
export async function openSocksTunnel(
  stream: ByteStream,
  proxy: ProxyRoute,
  target: { readonly host: string; readonly port: number },
): Promise<void> {
  const handshake = new SocksHandshake({
    version: socksVersion(proxy),
    resolveAt: resolvesHere(proxy) ? "client" : "proxy",
    host: target.host,
    port: target.port,
    ...(proxy.credentials === null ? {} : { credentials: proxy.credentials }),
  });
  for (;;) {
    const bytes = handshake.takeOutgoing();
    if (bytes.length > 0) await stream.send(bytes);
    const connection = handshake.push(await stream.receive());
    if (connection !== null) return requireNothing(connection.rest);
  }
}

/** Whether names are looked up on this side. */
export function resolvesHere({ scheme }: ProxyRoute): boolean {
  return scheme === "socks5" || scheme === "socks4";
}

/** Which SOCKS the proxy speaks. */
export function socksVersion({ scheme }: Pick<ProxyRoute, "scheme">): 4 | 5 {
  return scheme === "socks4" || scheme === "socks4a" ? 4 : 5;
}
