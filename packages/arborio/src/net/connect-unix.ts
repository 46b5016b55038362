import { describeValue } from "../core/arguments.ts";
import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { Wire } from "../platform/wire.ts";
import { formatPath } from "./address.ts";
import { requireClientTls } from "./secured.ts";
import type { SocketStream } from "./socket-stream.ts";
import type { TlsClientOptions } from "./tls-options.ts";
import { requireUnixPath } from "./unix-path.ts";

/** Options of `connectUnix`. */
export interface ConnectUnixOptions {
  /** TLS; its `serverName` is needed, since a path is no name to check a certificate against. Default: none. */
  readonly tls?: TlsClientOptions & { readonly serverName: string };
}

/**
 * Connects to a Unix socket. If it fails or is cancelled, no socket is left open.
 *
 * @param path of the socket's file, at most 107 bytes; on Linux also a name in the abstract space, `"\0name"`.
 * @returns the connected stream; with `tls`, its handshake is done.
 * @throws SystemError with the code `ENOENT` if there is no such file, `ECONNREFUSED` if nobody listens there, and others as the system
 *   has them.
 * @throws TlsError, TimeoutError if TLS could not be agreed upon.
 * @throws TypeError, RangeError for a path that cannot be one.
 *
 * Counterpart: `anyio.connect_unix`, `trio.open_unix_socket`.
 *
 * @example Ask a program on this machine
 * ```ts
 * import { run, SystemError } from "arborio";
 * import { connectUnix } from "arborio/net";
 *
 * await run(async () => {
 *   try {
 *     using stream = await connectUnix("/run/some-program.sock");
 *     await stream.send(new TextEncoder().encode("status\n"));
 *   } catch (error) {
 *     console.assert(error instanceof SystemError && error.systemCode === "ENOENT");
 *   }
 * });
 * ```
 */
export async function connectUnix(
  path: string,
  options: ConnectUnixOptions = {},
): Promise<SocketStream> {
  requireUnixPath("connectUnix", path);
  const { tls } = options;
  if (tls !== undefined && typeof tls.serverName !== "string") {
    throw new TypeError(
      `connectUnix({ tls: { serverName } }): got ${describeValue(tls.serverName)}, needs the name in the server's certificate`,
    );
  }
  const toStream = requireClientTls(tls ?? false, tls?.serverName ?? "");
  const wire = await hostOperation<Wire>({
    name: "connect",
    resource: formatPath(path),
    begin: (backend, completion) =>
      requireCapability(backend, "network", "connectUnix").connect(
        { kind: "unix", path },
        completion,
      ),
  });
  return toStream(wire);
}
