import { mapConcurrent, moveOnAfter, SystemError } from "arborio";
import { connectTcp, ConnectionFailedError } from "arborio/net";

/** What is known of a port: somebody accepts, the host refuses, or nobody answers. */
export type PortState = "open" | "closed" | "silent";

export interface ScannedPort {
  readonly port: number;
  readonly state: PortState;
}

export interface ScanLimits {
  /** So many ports are tried at once. */
  readonly concurrency: number;
  /** So long each may take to answer, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Tries to connect to each port of a host. The limits are those of the scanner: so many at once, so long each; who calls it may
 * put `failAfter` around the whole, and nothing is left of what was tried.
 *
 * @throws ConnectionFailedError if the host's name is unknown, or it cannot be reached.
 */
export function scanPorts(
  host: string,
  ports: Iterable<number>,
  { concurrency, timeoutMs }: ScanLimits,
): Promise<readonly ScannedPort[]> {
  return mapConcurrent(
    ports,
    async (port) => ({ port, state: await tryPort(host, port, timeoutMs) }),
    { concurrency },
  );
}

async function tryPort(host: string, port: number, timeoutMs: number): Promise<PortState> {
  try {
    const stream = await moveOnAfter(timeoutMs, () => connectTcp(host, port));
    if (stream === undefined) return "silent";
    stream.close();
    return "open";
  } catch (error) {
    if (isRefusal(error)) return "closed";
    throw error;
  }
}

/** Whether every address of the host answered that nobody listens. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof ConnectionFailedError &&
    error.attempts.length > 0 &&
    error.attempts.every(
      ({ error: reason }) => reason instanceof SystemError && reason.systemCode === "ECONNREFUSED",
    )
  );
}

/** `"22,80,8000-8010"` as numbers. @throws RangeError if it is not written so. */
export function parsePorts(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [, first = "", last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    const from = Number(first);
    const to = Number(last);
    if (first === "" || from < 1 || to > 65_535 || from > to)
      throw new RangeError(
        `ports: got ${JSON.stringify(part)}, needs numbers from 1 to 65535 such as 22,80,8000-8010`,
      );
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
