/** That of very many processes, some of them cut short, none is left. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { moveOnAfter, now, run, sleep, taskGroup } from "../index.ts";
import { openProcess, runProcess, shellCommand } from "../process.ts";
import { encode, markedEnv, textOf, untilNoneLeft } from "./processes.test.kit.ts";

const TEST_MS_MAX = 55_000;
const PROCESSES = 1000;
/** On a machine that is busy with other things there are fewer, but so many at least. */
const PROCESSES_MIN = 100;
const LONG_ENOUGH_MS = 12_000;
const AT_ONCE = 10;
const ALL_AT_ONCE = 200;

test(
  `openProcess, runProcess: ${PROCESSES} processes with random cancellation, none is left`,
  { timeout: TEST_MS_MAX },
  () => run(manyProcesses),
);

test("runProcess: 200 at once, each with its own input and output", { timeout: TEST_MS_MAX }, () =>
  run(async () => {
    const env = markedEnv();
    const said: string[] = [];
    await taskGroup((group) => {
      for (let number = 0; number < ALL_AT_ONCE; number++) {
        group.startSoon(async () => {
          const { stdoutText } = await runProcess(["cat"], { env, input: `number ${number}` });
          said[number] = stdoutText;
        });
      }
    });
    assert.deepEqual(
      said,
      Array.from({ length: ALL_AT_ONCE }, (_, number) => `number ${number}`),
    );
    await untilNoneLeft(env);
  }),
);

async function manyProcesses(): Promise<void> {
  const env = markedEnv();
  const counts = { finished: 0, cancelled: 0 };
  let started = 0;
  const end = now() + LONG_ENOUGH_MS;
  const isEnough = (): boolean => started >= PROCESSES || (started >= PROCESSES_MIN && now() > end);
  const work = async (): Promise<void> => {
    while (!isEnough()) {
      const number = started++;
      const done = await moveOnAfter(randomMs(), () => use(number, env));
      counts[done === true ? "finished" : "cancelled"] += 1;
    }
  };
  await taskGroup((group) => {
    for (let task = 0; task < AT_ONCE; task++) group.startSoon(work);
  });
  console.log(`# ${started} processes: ${counts.finished} finished, ${counts.cancelled} cancelled`);
  assert.equal(counts.finished + counts.cancelled, started);
  assert.ok(counts.cancelled > PROCESSES_MIN / 10, `only ${counts.cancelled} were cancelled`);
  assert.ok(counts.finished > PROCESSES_MIN / 10, `only ${counts.finished} finished`);
  await untilNoneLeft(env);
  // Some were killed while nobody waited for them; those are looked after each second.
  while (process.listenerCount("SIGHUP") > 0) await sleep(50);
}

/** Some are cut at their start, some a little later, many not at all. */
function randomMs(): number {
  return Math.random() < 0.5 ? Infinity : 200 * Math.random() ** 2 - 1;
}

async function use(number: number, env: ReturnType<typeof markedEnv>): Promise<true> {
  if (number % 2 === 0) {
    await runProcess(["true"], { env });
  } else if (number % 8 !== 7) {
    await using child = await openProcess(["cat"], { env, stdin: "pipe" });
    await child.stdin.send(encode("x"));
    child.stdin.close();
    assert.equal(await textOf(child.stdout), "x");
    await child.wait();
  } else {
    // One of its children is left when it ends.
    await using child = await openProcess(shellCommand("sleep 1000 & exit"), { env });
    await child.wait();
  }
  return true;
}
