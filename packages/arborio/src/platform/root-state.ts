import { Kernel } from "../core/kernel.ts";
import { RunState } from "../core/run-state.ts";
import { Task } from "../core/task.ts";
import type { Backend } from "./backend.ts";

/** Options of `createRootState`. */
export interface RootStateOptions {
  readonly backend: Backend;
  readonly name?: string;
  readonly outside?: boolean;
  readonly dev?: boolean;
  readonly onUnhandled?: (error: unknown) => void;
  readonly warn: (message: string) => void;
}

/** One kernel per backend object: all runs on it share its clock and its budget. */
const kernels: WeakMap<Backend, Kernel> = new WeakMap();

/** A run's state with its root task, on the kernel of `backend`. */
export function createRootState(options: RootStateOptions): RunState {
  const { backend } = options;
  let kernel = kernels.get(backend);
  if (kernel === undefined) {
    const { scheduler } = backend;
    kernel = new Kernel(backend.clock, {
      random: () => backend.entropy.random(),
      choose: scheduler === undefined ? undefined : (count) => scheduler.choose(count),
    });
    kernels.set(backend, kernel);
  }
  const state = new RunState({
    kernel,
    backend,
    outside: options.outside ?? false,
    dev: options.dev ?? false,
    onUnhandled: options.onUnhandled === undefined ? rejectUnhandled : guarded(options.onUnhandled),
    warn: options.warn,
  });
  state.root = new Task(state, options.name ?? "root", undefined);
  return state;
}

/** Hands an error that nobody awaits to the runtime's own handling of unhandled rejections. */
function rejectUnhandled(error: unknown): void {
  void Promise.reject(error);
}

/** It is called in the middle of operations, so what it throws must not come out there. */
function guarded(onUnhandled: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onUnhandled(error);
    } catch (thrown) {
      rejectUnhandled(thrown);
    }
  };
}
