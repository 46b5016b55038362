import { requireCount } from "../core/arguments.ts";
import { currentBackend, notSupported, requireCapability } from "../platform/capabilities.ts";
import { listenOn, type ListenOptions, requireListenOptions } from "./listen.ts";
import type { Listener } from "./listener.ts";
import { SocketStream } from "./socket-stream.ts";

/**
 * Listens on a socket that somebody else has opened and bound, such as systemd or a parent process, and owns it from then on.
 *
 * @param descriptor its number, from 0 on.
 * @throws SystemError if the system refuses, for example `EINVAL` or `EBADF`.
 * @throws NotSupportedError if the backend cannot.
 * @throws TypeError, RangeError for wrong arguments.
 *
 * Counterpart: `anyio.abc.SocketListener.from_socket`.
 *
 * @example The socket that systemd has opened, where the program was started by it
 * ```ts
 * import { run } from "arborio";
 * import { type Listener, listenDescriptor, listenTcp } from "arborio/net";
 *
 * const SYSTEMD_FIRST = 3;
 *
 * function listen(byServiceManager: boolean): Promise<Listener> {
 *   return byServiceManager ? listenDescriptor(SYSTEMD_FIRST) : listenTcp(0);
 * }
 *
 * await run(async () => {
 *   using listener = await listen(false);
 *   console.assert(listener.addresses.length === 1);
 * });
 * ```
 */
export async function listenDescriptor(
  descriptor: number,
  options: ListenOptions = {},
): Promise<Listener> {
  requireCount("listenDescriptor", descriptor, 0, false);
  const settings = requireListenOptions("listenDescriptor", options);
  return listenOn({ kind: "descriptor", descriptor, backlog: settings.backlog }, settings);
}

/**
 * A stream over a connected stream socket that somebody else has opened; it owns the descriptor from then on. Synchronous.
 *
 * @param descriptor its number, from 0 on.
 * @throws SystemError if the system refuses.
 * @throws NotSupportedError if the backend cannot.
 * @throws TypeError, RangeError if `descriptor` is not such a number.
 *
 * Counterpart: `anyio.abc.SocketStream.from_socket`.
 *
 * @example What inetd has accepted is standard input and output
 * ```ts
 * import { type SocketStream, streamFromDescriptor } from "arborio/net";
 *
 * function ofInetd(): SocketStream {
 *   return streamFromDescriptor(0);
 * }
 *
 * console.assert(typeof ofInetd === "function");
 * ```
 */
export function streamFromDescriptor(descriptor: number): SocketStream {
  requireCount("streamFromDescriptor", descriptor, 0, false);
  const backend = currentBackend();
  const network = requireCapability(backend, "network", "streamFromDescriptor");
  if (network.adopt === undefined) throw notSupported(backend, "streamFromDescriptor");
  return new SocketStream(network.adopt(descriptor));
}
