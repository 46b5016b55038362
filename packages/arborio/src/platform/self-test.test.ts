import assert from "node:assert/strict";
import { test } from "node:test";
import type { AmbientStore } from "../core/ambient.ts";
import { InternalError } from "../core/errors.ts";
import { ambient } from "./host.ts";
import { testAmbientStore } from "./self-test.ts";

/** A store that is only right until the first await: what a runtime without async context looks like. */
class SynchronousStore implements AmbientStore {
  #current: unknown;

  get(): unknown {
    return this.#current;
  }

  run<A, R>(value: unknown, fn: (argument: A) => R, argument: A): R {
    const before = this.#current;
    this.#current = value;
    try {
      return fn(argument);
    } finally {
      this.#current = before;
    }
  }
}

/** A store whose context leaks into the caller. */
class LeakingStore implements AmbientStore {
  get(): unknown {
    return ambient.get();
  }

  run<A, R>(value: unknown, fn: (argument: A) => R, argument: A): R {
    const result = ambient.run(value, fn, argument);
    this.get = () => value;
    return result;
  }
}

async function faultsOf(store: AmbientStore): Promise<string> {
  const outcome = await Promise.allSettled([testAmbientStore(store)]);
  const { reason } = outcome[0] as PromiseRejectedResult;
  assert.ok(reason instanceof InternalError);
  return reason.message;
}

test("testAmbientStore: this runtime's store passes (§1.1)", () => testAmbientStore(ambient));

test("testAmbientStore: a store that loses the context at await is refused, naming the places (§1.1)", async () => {
  const message = await faultsOf(new SynchronousStore());
  assert.match(message, /lost the async context/);
  assert.match(message, /await of a promise/);
  assert.match(message, /async generator/);
});

test("testAmbientStore: a store that leaks into its caller is refused (§1.1)", async () => {
  assert.match(await faultsOf(new LeakingStore()), /the caller/);
});

test("backends/web: loading it says that there is no backend for browsers yet, and what else may be wrong (§9)", async () => {
  const outcome = await Promise.allSettled([import("../backends/web/index.ts")]);
  const { reason } = outcome[0] as PromiseRejectedResult;
  assert.match((reason as Error).message, /no backend for browsers/);
  assert.match((reason as Error).message, /package condition/);
});
