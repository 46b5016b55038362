import type { AmbientStore } from "../../core/ambient.ts";
import type { Backend } from "../../platform/backend.ts";

const MESSAGE =
  "arborio: there is no backend for browsers and other web runtimes yet; it runs on Node 22 and later, Bun and Deno. " +
  'If this is one of those, the bundler chose the wrong package condition: bundle for the platform "node"';

/** Loading the package here fails at once and says why, instead of failing later and somewhere else. */
function notSupported(): never {
  throw new Error(MESSAGE);
}

export const backend: Backend = notSupported();
export const ambient: AmbientStore = notSupported();
