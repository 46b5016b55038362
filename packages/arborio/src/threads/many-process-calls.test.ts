/** That of very many calls in processes, some of them cut short, some of which crash, no process and no token is left. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { CapacityLimiter, moveOnAfter, now, run, sleep, taskGroup } from "../index.ts";
import { markedEnv, untilNoneLeft } from "../process/processes.test.kit.ts";
import { BrokenWorkerError, runInProcess, workerStatistics } from "../threads.ts";
import { processWork } from "./process-calls.test.kit.ts";

const TEST_MS_MAX = 55_000;
const CALLS = 1000;
/** On a machine that is busy with other things there are fewer, but so many at least. */
const CALLS_MIN = 100;
const LONG_ENOUGH_MS = 8000;
const AT_ONCE = 4;

test(
  `runInProcess: ${CALLS} calls with random cancellation and crashes, no process and no token is lost`,
  { timeout: TEST_MS_MAX },
  () => run(manyCalls, { signals: [] }),
);

async function manyCalls(): Promise<void> {
  const env = markedEnv();
  Object.assign(process.env, env); // all processes from here on have it
  const limiter = new CapacityLimiter(AT_ONCE);
  const counts = { finished: 0, cancelled: 0, broken: 0 };
  let started = 0;
  const end = now() + LONG_ENOUGH_MS;
  const isEnough = (): boolean => started >= CALLS || (started >= CALLS_MIN && now() > end);
  const work = async (): Promise<void> => {
    while (!isEnough()) counts[await oneCall(started++, limiter)] += 1;
  };
  await taskGroup((group) => {
    for (let task = 0; task < 2 * AT_ONCE; task++) group.startSoon(work);
  });
  assert.equal(counts.finished + counts.cancelled + counts.broken, started);
  for (const [how, count] of Object.entries(counts))
    assert.ok(count >= CALLS_MIN / 100, `${how}: ${count} of ${started}`);
  while (limiter.borrowedTokens > 0) await sleep(5); // those that were abandoned
  const { idle, busy, crashed } = workerStatistics("process");
  assert.equal(busy, 0);
  assert.ok(idle <= AT_ONCE, `${idle} are idle`);
  assert.ok(crashed >= counts.broken, `${crashed} have crashed`);
  await endIdle(idle);
  await untilNoneLeft(env);
}

type Outcome = "finished" | "cancelled" | "broken";

async function oneCall(number: number, limiter: CapacityLimiter): Promise<Outcome> {
  const abandonOnCancel = number % 5 === 0;
  const options = { args: [number], limiter, graceMs: 20 * Math.random() } as const;
  const endless = number % 11 === 5;
  const delayMs = endless || Math.random() < 0.4 ? 30 * Math.random() - 1 : Infinity;
  try {
    const value = await moveOnAfter(delayMs, () =>
      runInProcess(processWork, "anything", {
        ...options,
        abandonOnCancel: abandonOnCancel && !endless,
      }),
    );
    if (value === undefined) return "cancelled";
    assert.equal(value, number);
    return "finished";
  } catch (error) {
    assert.ok(error instanceof BrokenWorkerError);
    return "broken";
  }
}

/** Lets all idle ones exit, at the same time, so that none is used twice. */
async function endIdle(idle: number): Promise<void> {
  if (idle === 0) return;
  const limiter = new CapacityLimiter(idle);
  const { started } = workerStatistics("process");
  await taskGroup((group) => {
    for (let call = 0; call < idle; call++) {
      group.startSoon(() =>
        assert.rejects(
          runInProcess(processWork, "kill", { args: ["SIGKILL"], limiter }),
          BrokenWorkerError,
        ),
      );
    }
  });
  assert.equal(workerStatistics("process").started, started);
}
