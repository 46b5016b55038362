import process from "node:process";
import type { HostProcess } from "../../platform/backend.ts";
import { keepAlive, warn } from "../shared/process.ts";

export const nodeProcess: HostProcess = {
  keepAlive,
  warn,
  filterUnhandledRejections: (drop) => interceptEvents(["unhandledRejection"], drop),
  exitQuietlyIfUnhandled(error, code) {
    const restore = interceptEvents(["unhandledRejection", "uncaughtException"], (thrown) => {
      if (thrown === error) process.exit(code);
      return false;
    });
    // Whoever awaits the run has seen the error by then, or nobody ever will.
    setImmediate(() => setImmediate(restore));
  },
};

type Emit = (this: NodeJS.Process, event: string | symbol, ...args: unknown[]) => boolean;

/**
 * Sees these events before every listener, and keeps them from all if `take` returns true. Listening would not do: one
 * listener switches the host's default off, and cannot keep the event from the others.
 */
function interceptEvents(
  events: readonly string[],
  take: (reason: unknown) => boolean,
): () => void {
  const target = process as { emit: Emit };
  const original = target.emit;
  let active = true;
  const emit: Emit = function (event, ...args) {
    if (active && events.includes(event as string) && take(args[0])) return true;
    return original.call(this, event, ...args);
  };
  target.emit = emit;
  return () => {
    active = false;
    if (target.emit === emit) target.emit = original;
  };
}
