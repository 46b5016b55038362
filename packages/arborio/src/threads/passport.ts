import type { MessagePortLike, Threads } from "../platform/threads.ts";

/** What waits in a port when it comes to another thread: it says what the port is for. */
export interface Passport {
  readonly kind: string;
}

/** Takes a port that came from another thread, with its passport; `undefined` if it is no such port, or was taken before. */
export function adoptWithPassport<P extends Passport>(
  threads: Threads,
  port: unknown,
  kind: P["kind"],
): { readonly port: MessagePortLike; readonly passport: P } | undefined {
  if (typeof port !== "object" || port === null) return undefined;
  try {
    const adopted = threads.adoptPort(port);
    const passport = threads.receiveNowait(adopted)?.message as P | undefined;
    return passport?.kind === kind ? { port: adopted, passport } : undefined;
  } catch {
    // What is no port at all is refused by the runtime, in words of its own.
    return undefined;
  }
}
