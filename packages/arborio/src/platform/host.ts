/**
 * The only module that knows which runtime this is. It puts the host's ambient store and root scope into core's slot when the
 * package is loaded, so that the library also works outside `run`.
 */
import { ambient as hostAmbient, backend } from "#platform";
import { type AmbientStore, installAmbient } from "../core/ambient.ts";
import { createRootState } from "./root-state.ts";
import type { Backend } from "./backend.ts";

/** Versioned: two loaded copies of the package share one ambient store only if they agree on what a scope looks like. */
const SHARED_STORE: symbol = Symbol.for("arborio.ambient.v1");

const shared = globalThis as unknown as Record<symbol, AmbientStore | undefined>;
shared[SHARED_STORE] ??= hostAmbient;

/** The host's ambient store, shared by all loaded copies. */
export const ambient: AmbientStore = shared[SHARED_STORE];

/** The host's own backend. */
export const hostBackend: Backend = backend;

installAmbient(
  ambient,
  createRootState({ backend, outside: true, warn: (message) => backend.process?.warn(message) })
    .root,
);
