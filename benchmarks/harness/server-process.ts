/** A server that is measured: a process of its own, which obeys `server-control.ts`. */
import { LineProcess } from "./line-process.ts";
import { residentBytes } from "./process-figures.ts";
import type { Command } from "./suite.ts";

export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Resident bytes once garbage is collected. */
  settledBytes(): Promise<number>;
}

/**
 * Keeps glibc from giving freed memory back to the kernel at once. It does so when the memory happens to lie at the end of
 * the heap: then each chunk of 64 KiB is taken from the kernel anew, page by page. Of the same server some processes had
 * 0 and some 13 page faults a message, and needed twice the CPU time; with this all have 0.
 */
export const KEEP_FREED: NodeJS.ProcessEnv = {
  MALLOC_TRIM_THRESHOLD_: String(256 * 1024 * 1024),
};

/** Starts a server with all the files it may open: most runtimes raise that limit themselves, Python does not. */
export async function startServer(
  { command, args }: Command,
  env: NodeJS.ProcessEnv = {},
): Promise<ServerProcess> {
  const script = 'ulimit -Sn "$(ulimit -Hn)"; exec "$0" "$@"';
  const child = new LineProcess(
    { command: "/bin/sh", args: ["-c", script, command, ...args] },
    env,
  );
  try {
    const { port, pid } = JSON.parse(await child.nextLine()) as { port: number; pid: number };
    return {
      port,
      pid,
      settledBytes: async (): Promise<number> => {
        await child.ask("");
        return residentBytes(pid);
      },
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
