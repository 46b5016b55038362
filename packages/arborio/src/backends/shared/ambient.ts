import { AsyncLocalStorage } from "node:async_hooks";
import type { AmbientStore } from "../../core/ambient.ts";

/** The ambient store of Node, Bun and Deno. */
export const asyncLocalStorage: AsyncLocalStorage<unknown> = new AsyncLocalStorage<unknown>();

class AsyncLocalAmbient implements AmbientStore {
  get(): unknown {
    return asyncLocalStorage.getStore();
  }

  run<Arguments extends unknown[], Result>(
    value: unknown,
    fn: (...args: Arguments) => Result,
    ...args: Arguments
  ): Result {
    return asyncLocalStorage.run(value, fn, ...args);
  }
}

export const ambient: AmbientStore = new AsyncLocalAmbient();
