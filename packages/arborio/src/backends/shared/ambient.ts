import { AsyncLocalStorage } from "node:async_hooks";
import type { AmbientStore } from "../../core/ambient.ts";

/** The ambient store of Node, Bun and Deno. */
export const asyncLocalStorage: AsyncLocalStorage<unknown> = new AsyncLocalStorage<unknown>();

class AsyncLocalAmbient implements AmbientStore {
  get(): unknown {
    return asyncLocalStorage.getStore();
  }

  run<Argument, Result>(
    value: unknown,
    fn: (argument: Argument) => Result,
    argument: Argument,
  ): Result {
    return asyncLocalStorage.run(value, fn, argument);
  }
}

export const ambient: AmbientStore = new AsyncLocalAmbient();

/**
 * Runs `fn` outside every task's context: what the runtime makes in it (timers, sockets) would keep the context, and all it holds,
 * alive. Not `exit`: Deno's switches the whole store off meanwhile, and runs microtasks of others while it loads a module (2.9.5).
 */
export function outsideContext<T>(fn: () => T): T {
  // Mostly it is called from a callback of the runtime, and there already.
  return asyncLocalStorage.getStore() === undefined ? fn() : asyncLocalStorage.run(undefined, fn);
}
