/**
 * The promises of the core, as tests for any backend and any test runner. A backend conforms if all of them pass.
 */
import { cancellation } from "./cancellation.ts";
import { checkpoints, fairness } from "./checkpoints-and-fairness.ts";
import { containers, stray } from "./containers.ts";
import { ownership } from "./ownership.ts";
import { ambientContext, scopes } from "./scopes.ts";
import { shields } from "./shields.ts";
import { start } from "./start.ts";
import type { ConformanceSuite } from "./suite.ts";
import { suspension } from "./suspension.ts";
import { taskGroupErrors } from "./task-group-errors.ts";
import { taskGroups } from "./task-groups.ts";
import { taskHandles } from "./task-handles.ts";

export type { ConformanceSuite } from "./suite.ts";

/**
 * All suites, in reading order.
 *
 * @example On the host and on the simulator, with node:test
 * ```ts
 * import nodeTest from "node:test";
 * import { conformanceSuites, onEveryBackend } from "arborio/testing";
 *
 * const test = onEveryBackend(nodeTest);
 * for (const suite of conformanceSuites.slice(0, 1)) suite.define(test);
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
  taskGroups,
  taskGroupErrors,
  start,
  taskHandles,
];
