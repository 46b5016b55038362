import { listenOn, type ListenOptions, requireListenOptions } from "./listen.ts";
import type { Listener } from "./listener.ts";
import { requireMode, requireUnixPath } from "./unix-path.ts";

/** Options of `listenUnix`. */
export interface ListenUnixOptions extends ListenOptions {
  /** Permission bits of the socket's file, such as `0o600`. Default: as the process's umask leaves them. */
  readonly mode?: number;
}

/**
 * Listens on a Unix socket. A socket's file that is left of an earlier listener is replaced; any other file is not.
 *
 * If it fails or is cancelled, no socket is left open.
 *
 * @param path as for `connectUnix`.
 * @throws SystemError with the code `EADDRINUSE` if somebody listens there, and others as the system has them.
 * @throws TypeError, RangeError for wrong arguments; NotSupportedError if the backend cannot.
 *
 * Counterpart: `anyio.create_unix_listener`.
 *
 * @example Beside the files of a program
 * ```ts
 * import { run } from "arborio";
 * import { connectUnix, listenUnix } from "arborio/net";
 *
 * await run(async (group) => {
 *   using listener = await listenUnix("/tmp/arborio-example.sock", { mode: 0o600 });
 *   group.startSoon(() => listener.serve((stream) => stream.send(new Uint8Array([1]))), { daemon: true });
 *   using stream = await connectUnix("/tmp/arborio-example.sock");
 *   console.assert((await stream.receive())[0] === 1);
 * });
 * ```
 */
export async function listenUnix(path: string, options: ListenUnixOptions = {}): Promise<Listener> {
  const { mode } = options;
  requireUnixPath("listenUnix", path);
  if (mode !== undefined) requireMode("listenUnix({ mode })", mode);
  const settings = requireListenOptions("listenUnix", options);
  return listenOn({ kind: "unix", path, backlog: settings.backlog, mode }, settings);
}
