/**
 * The promises of the core, as tests for any backend and any test runner. A backend conforms if all of them pass.
 */
import { cancellation } from "./cancellation.ts";
import { checkpoints, fairness } from "./checkpoints-and-fairness.ts";
import { containers, stray } from "./containers.ts";
import { deadlines } from "./deadlines.ts";
import { floating } from "./floating.ts";
import { introspection } from "./introspection.ts";
import { ownership } from "./ownership.ts";
import { ambientContext, scopes } from "./scopes.ts";
import { shields } from "./shields.ts";
import { shutdown } from "./shutdown.ts";
import { signalsAtTheBorder } from "./signals-border.ts";
import { start } from "./start.ts";
import type { ConformanceSuite } from "./suite.ts";
import { suspension } from "./suspension.ts";
import { taskGroupErrors } from "./task-group-errors.ts";
import { taskGroups } from "./task-groups.ts";
import { taskHandles } from "./task-handles.ts";
import { time } from "./time.ts";

export type { ConformanceSuite } from "./suite.ts";

/**
 * All suites, in reading order.
 *
 * @example On the host and on the simulator
 * ```ts
 * import { conformanceSuites, onEveryBackend } from "arborio/testing";
 *
 * // Stands for the runner's own: `import runnerTest from "node:test"`, or `bun:test`'s, `Deno.test`, vitest's.
 * const titles: string[] = [];
 * const runnerTest = (title: string, _body: () => Promise<void>) => titles.push(title);
 *
 * const test = onEveryBackend(runnerTest);
 * for (const suite of conformanceSuites) suite.define(test);
 * console.assert(titles.length > 0);
 * ```
 */
export const conformanceSuites: readonly ConformanceSuite[] = [
  scopes,
  ambientContext,
  cancellation,
  ownership,
  containers,
  stray,
  shields,
  checkpoints,
  fairness,
  suspension,
  signalsAtTheBorder,
  shutdown,
  floating,
  taskGroups,
  taskGroupErrors,
  start,
  taskHandles,
  time,
  deadlines,
  introspection,
];
