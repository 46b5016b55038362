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
