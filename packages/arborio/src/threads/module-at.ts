import { describeValue, requireKnown, requireOptions } from "../core/arguments.ts";
import type { RemoteErrorClass } from "./thrown-form.ts";

/** A module of this program at a URL, which remembers its type: see `moduleAt`. */
export interface ModuleHandle<Module> {
  /** Where it is. */
  readonly url: string;
  /** Error classes that its functions may throw. */
  readonly errorClasses: readonly RemoteErrorClass[];
  /** Only a type: nothing is there. */
  readonly exports?: Module;
}

/** Options of `moduleAt`. */
export interface ModuleOptions {
  /** Error classes of your own that functions of the module may throw, for all its calls: see `WorkerCallOptions`. Default: none. */
  readonly errorClasses?: readonly RemoteErrorClass[];
}

/** Names of the functions that a module exports. */
export type FunctionName<Module> = {
  [Name in keyof Module]: Module[Name] extends (...args: never) => unknown ? Name : never;
}[keyof Module] &
  string;

/** The function that a module exports under a name. */
export type FunctionAt<Module, Name extends FunctionName<Module>> = Module[Name] extends (
  ...args: infer Args
) => infer Result
  ? (...args: Args) => Result
  : never;

/**
 * Names a module with its type, so that names of its functions, their arguments and results are checked where they are called. The module is
 * not loaded here.
 *
 * @param url where it is: `new URL("./hash.ts", import.meta.url)`, or `import.meta.resolve("./hash.ts")`.
 * @throws TypeError if that is no absolute URL, or for a wrong option.
 *
 * @example A typed module
 * ```ts ignore
 * import { run } from "arborio";
 * import { moduleAt, runInThread } from "arborio/threads";
 *
 * const hashing = moduleAt<typeof import("./hash.ts")>(new URL("./hash.ts", import.meta.url));
 *
 * await run(async () => {
 *   const digest = await runInThread(hashing, "hashFile", { args: ["README.md"] });
 * });
 * ```
 */
export function moduleAt<Module>(
  url: URL | string,
  options: ModuleOptions = {},
): ModuleHandle<Module> {
  requireOptions("moduleAt(url, options)", options, "{ errorClasses: [HashError] }");
  requireKnown("moduleAt", options, { errorClasses: true });
  const { errorClasses = [] } = options;
  requireClasses("moduleAt", errorClasses);
  return Object.freeze({
    url: requireModule("moduleAt(url)", url),
    errorClasses: Object.freeze([...errorClasses]),
  });
}

/** Throws `TypeError` unless `classes` is an array of error classes. */
export function requireClasses(where: string, classes: unknown): void {
  const isClass = (one: unknown): boolean =>
    typeof one === "function" && (one === Error || one.prototype instanceof Error);
  if (Array.isArray(classes) && classes.every(isClass)) return;
  throw new TypeError(
    `${where}({ errorClasses }): got ${describeValue(classes)}, needs an array of classes that extend Error`,
  );
}

/** The URL of a module, checked. */
export function requireModule(where: string, module: URL | string | ModuleHandle<unknown>): string {
  if (typeof module === "string") return requireAbsolute(where, module);
  if (typeof module === "object" && module !== null) {
    if (module instanceof URL) return module.href;
    if (typeof module.url === "string") return module.url;
  }
  throw new TypeError(
    `${where}: got ${describeValue(module)}, needs a URL, or the string of one, such as import.meta.resolve("./work.js")`,
  );
}

/** A scheme; one letter is a drive of Windows. */
const ABSOLUTE = /^[a-z][a-z0-9+.-]+:/i;

/** Programs call functions of the same module again and again, and the check costs as much as sending the call. */
let lastAbsolute = "";

function requireAbsolute(where: string, text: string): string {
  if (text === lastAbsolute) return text;
  if (ABSOLUTE.test(text) && URL.canParse(text)) return (lastAbsolute = text);
  throw new TypeError(
    `${where}: got ${describeValue(text)}, which is no absolute URL, and nothing tells what it is relative to; ` +
      `needs import.meta.resolve(${describeValue(text)}), or new URL(${describeValue(text)}, import.meta.url)`,
  );
}
