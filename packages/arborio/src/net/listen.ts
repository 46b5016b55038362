import { requireCount, requireOptions } from "../core/arguments.ts";
import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { ListenerHandle, ListenTarget } from "../platform/network.ts";
import type { Wire } from "../platform/wire.ts";
import { Listener } from "./listener.ts";
import { SocketStream } from "./socket-stream.ts";
import { tlsAcceptor } from "./tls.ts";
import type { TlsServerOptions } from "./tls-options.ts";

/** Options of every function that listens. */
export interface ListenOptions {
  /** So many connections may wait that nobody has accepted yet; further ones are reset. At least 1. Default 511. */
  readonly backlog?: number;
  /** The server's side of TLS, for all connections. Default: none. */
  readonly tls?: TlsServerOptions;
}

/** As much as Node asks for; systems cut it to what they allow. */
const BACKLOG = 511;

/** What is the same for all sockets of a listener. */
export interface ListenSettings {
  /** The function that was called, for messages. */
  readonly where: string;
  readonly backlog: number;
  readonly toStream: (wire: Wire) => SocketStream;
}

/** Checks what all functions that listen take. */
export function requireListenOptions(where: string, options: ListenOptions): ListenSettings {
  requireOptions(`${where}(…, options)`, options, "{ backlog: 100 }");
  const { backlog = BACKLOG, tls } = options;
  requireCount(`${where}({ backlog })`, backlog, 1, false);
  if (tls === undefined) return { where, backlog, toStream: (wire) => new SocketStream(wire) };
  requireOptions(`${where}({ tls })`, tls, "{ identity: { certificate, privateKey } }");
  return { where, backlog, toStream: tlsAcceptor(tls) };
}

/** A listener with one socket. */
export async function listenOn(target: ListenTarget, settings: ListenSettings): Promise<Listener> {
  const listener = new Listener(settings.backlog, settings.toStream);
  listener.add(await listen(target, listener, settings));
  return listener;
}

/** Opens a socket whose connections go to `listener`. */
export function listen(
  target: ListenTarget,
  listener: Listener,
  { where }: ListenSettings,
): Promise<ListenerHandle> {
  return hostOperation<ListenerHandle>({
    name: "listen",
    resource: listener,
    begin: (backend, completion) =>
      requireCapability(backend, "network", where).listen(target, listener, completion),
  });
}
