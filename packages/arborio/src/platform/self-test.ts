import type { AmbientStore } from "../core/ambient.ts";
import { InternalError } from "../core/errors.ts";

/**
 * Checks that the host's ambient store survives what the library relies on. Runtimes have broken it before; a program whose
 * flows lose their scope would be cancelled wrongly or not at all, so that must be loud.
 *
 * @throws InternalError naming each place where the context was lost.
 */
export async function testAmbientStore(ambient: AmbientStore): Promise<void> {
  const marker = {};
  const outside = ambient.get();
  const lost: string[] = [];
  const check = (place: string): void => {
    if (ambient.get() !== marker) lost.push(place);
  };
  await ambient.run(marker, (store) => walk(store, check), ambient);
  if (ambient.get() !== outside) lost.push("the caller, which saw a context that was not its own");
  if (lost.length > 0) {
    throw new InternalError(
      `ambient store: this runtime lost the async context after ${lost.join(", ")}; ` +
        "scopes cannot work on it; use a version of the runtime that keeps AsyncLocalStorage intact",
    );
  }
}

async function walk(ambient: AmbientStore, check: (place: string) => void): Promise<void> {
  check("a synchronous call");
  await Promise.resolve();
  check("await of a promise");
  await new Promise<void>((resolve) => {
    void Promise.resolve().then(() => ambient.run({}, resolve, undefined));
  });
  check("await of a promise settled from another context");
  // oxlint-disable-next-line unicorn/no-thenable -- thenables are one of the ways in which a context gets lost
  await { then: (resolve: (value?: unknown) => void) => resolve() };
  check("await of a thenable");
  await Promise.resolve().then(() => check("a callback of then"));
  await Promise.reject(new Error("expected")).then(undefined, () =>
    check("a rejection callback of then"),
  );
  await Promise.all([elsewhere(ambient), elsewhere(ambient)]);
  check("await of Promise.all over other contexts");
  for await (const step of steps()) check(`step ${step} of an async generator`);
}

async function elsewhere(ambient: AmbientStore): Promise<void> {
  await ambient.run({}, () => Promise.resolve(), undefined);
}

async function* steps(): AsyncGenerator<number> {
  yield 1;
  await Promise.resolve();
  yield 2;
}
