import type { TaskGroup } from "../../core/task-group.ts";
import type { Task } from "../../core/task.ts";
import type { Backend } from "../../platform/backend.ts";
import { createRootState } from "../../platform/root-state.ts";

/**
 * The root of a worker's code. As in a real thread, nothing of it is below the program's tasks: it has `RunLocal`s of its own, and when it
 * is ended in the middle of something, nobody waits for that.
 */
export function createWorkerRoot(name: string, system: TaskGroup, backend: Backend): Task {
  const { dev, onUnhandled, warn } = system.scope.runState;
  const state = createRootState({ backend, name, dev, onUnhandled, warn });
  state.system = system;
  return state.root;
}
