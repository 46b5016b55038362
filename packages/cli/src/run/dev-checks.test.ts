import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskInfo } from "arborio";
import { LateTasks } from "./dev-checks.ts";

function task(id: number, cancelled: boolean, rest: Partial<TaskInfo> = {}): TaskInfo {
  return {
    id,
    parentId: 1,
    name: `t${id}`,
    state: "running",
    cancelled,
    createdAt: 0,
    waits: [],
    ...rest,
  };
}

test("LateTasks: names a task two seconds after its cancellation, then each time that it took twice as long", () => {
  const late = new LateTasks();
  const warnedAt: number[] = [];
  for (let at = 0; at <= 20_000; at += 500) {
    const warnings = late.look([task(2, at >= 1_000), task(3, false)], at);
    if (warnings.length > 0) warnedAt.push(at);
  }
  assert.deepEqual(warnedAt, [3_000, 5_000, 9_000, 17_000]);
});

test("LateTasks: says what it waits in; whoever only waits for its children is not named", () => {
  const late = new LateTasks();
  const wait = { kind: "lock.acquire", resource: undefined, since: 0 };
  const tasks = [task(2, true), task(3, true, { parentId: 2, waits: [wait] }), task(4, true)];
  late.look(tasks, 0);
  assert.deepEqual(late.look(tasks, 2_500), [
    'task "t3" (#3) was cancelled 2.5 s ago and has not ended: it waits in lock.acquire',
    `task "t4" (#4) was cancelled 2.5 s ago and has not ended: it computes, or awaits a promise that is not Arborio's`,
  ]);
});
