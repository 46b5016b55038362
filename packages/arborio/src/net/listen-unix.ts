import { requireCount } from "../core/arguments.ts";
import { listenOn, type ListenOptions, requireListenOptions } from "./listen.ts";
import type { Listener } from "./listener.ts";
import { requireUnixPath } from "./unix-path.ts";

/** Options of `listenUnix`. */
export interface ListenUnixOptions extends ListenOptions {
  /** Permission bits of the socket's file, such as `0o600`. Default: as the process's umask leaves them. */
  readonly mode?: number;
}

/** Permission bits of a file. */
const MODE_MAX = 0o777;

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
  if (mode !== undefined) requireCount("listenUnix({ mode })", mode, 0, false);
  if (mode !== undefined && mode > MODE_MAX) {
    throw new RangeError(
      `listenUnix({ mode }): got 0o${mode.toString(8)}, needs at most 0o${MODE_MAX.toString(8)}`,
    );
  }
  const settings = requireListenOptions("listenUnix", options);
  return listenOn({ kind: "unix", path, backlog: settings.backlog, mode }, settings);
}
