/**
 * Ports that a worker has got with a call. When it ends they are closed, and the runtime tells their other sides; but Deno 2.9.5 sometimes does
 * not, if the worker was terminated in the middle of a computation. So the other sides learn it from the call, too.
 */
import type { MessagePortLike, Threads } from "../platform/threads.ts";

const listeners: WeakMap<object, () => void> = new WeakMap();

/** Calls `lost` when a worker has ended in the middle of a call that came with this port. */
export function onPortLost(port: object, lost: () => void): void {
  listeners.set(port, lost);
}

/** The worker that got these has ended. */
export function tellPortsLost(ports: readonly object[]): void {
  for (const port of ports) listeners.get(port)?.();
}

/** Tells what has come to a port and was not told yet, and closes it. */
export function closeWhenTold(
  threads: Threads,
  port: MessagePortLike,
  told: (message: unknown) => void,
): void {
  for (
    let last = threads.receiveNowait(port);
    last !== undefined;
    last = threads.receiveNowait(port)
  )
    told(last.message);
  port.close();
}
