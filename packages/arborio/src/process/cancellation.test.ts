/** That cancellation, wherever it comes, leaves no process, no pipe and no waiter. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { moveOnAfter, now, run, sleep, taskGroup } from "../index.ts";
import { openProcess, runProcess, shellCommand } from "../process.ts";
import { cancelEverywhere } from "../testing.ts";
import { encode, marked, markedEnv, textOf, zombies } from "./processes.test.kit.ts";

const TEST_MS_MAX = 60_000;

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body));
}

/** What a killed process leaves for a moment. */
async function untilNoneLeft(env: ReturnType<typeof markedEnv>): Promise<void> {
  for (let ms = 1; marked(env).length + zombies().length > 0; ms *= 2) {
    assert.ok(ms < 2000, `left: ${marked(env).join()}, not reaped: ${zombies().join()}`);
    await sleep(ms);
  }
}

hostTest("openProcess, ChildProcess: cancelled at each checkpoint, nothing is left", async () => {
  const env = markedEnv();
  const descriptors = readdirSync("/proc/self/fd").length;
  const { rounds } = await cancelEverywhere(async () => {
    await using child = await openProcess(shellCommand("sleep 1000 & cat; sleep 1000"), {
      env,
      stdin: "pipe",
      stderr: "pipe",
    });
    await child.stdin.send(encode("hello"));
    assert.equal(new TextDecoder().decode(await child.stdout.receive()), "hello");
    await taskGroup(async (group) => {
      group.startSoon(() => textOf(child.stdout));
      group.startSoon(() => textOf(child.stderr));
      group.startSoon(() => child.wait());
      await child.stdin.send(new Uint8Array(1_000_000));
      child.stdin.close();
      await sleep(1);
      await child.stop();
      await child.wait();
    });
  });
  assert.ok(rounds.entry >= 6 && rounds.waiting >= 4 && rounds.woken >= 4);
  await untilNoneLeft(env);
  // The runtime may keep some of its own.
  assert.ok(readdirSync("/proc/self/fd").length < descriptors + 10);
});

hostTest("runProcess: cancelled at each checkpoint, nothing is left", async () => {
  const env = markedEnv();
  const input = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(200_000);
    await sleep(1);
    yield new Uint8Array(200_000);
  };
  const { rounds } = await cancelEverywhere(async () => {
    const { stdout } = await runProcess(shellCommand("cat; (sleep 0.02; echo)"), {
      env,
      input: input(),
    });
    assert.equal(stdout.length, 400_001);
  });
  assert.ok(rounds.entry >= 5 && rounds.waiting >= 3 && rounds.woken >= 3);
  await untilNoneLeft(env);
});

const PROCESSES = 1000;
/** On a machine that is busy with other things there are fewer, but so many at least. */
const PROCESSES_MIN = 100;
const LONG_ENOUGH_MS = 12_000;
const AT_ONCE = 10;

hostTest(
  `openProcess, runProcess: ${PROCESSES} processes with random cancellation, none is left`,
  async () => {
    const env = markedEnv();
    const counts = { finished: 0, cancelled: 0 };
    let started = 0;
    const end = now() + LONG_ENOUGH_MS;
    const isEnough = (): boolean =>
      started >= PROCESSES || (started >= PROCESSES_MIN && now() > end);
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
    assert.equal(counts.finished + counts.cancelled, started);
    assert.ok(counts.cancelled > PROCESSES_MIN / 10, `only ${counts.cancelled} were cancelled`);
    assert.ok(counts.finished > PROCESSES_MIN / 10, `only ${counts.finished} finished`);
    await untilNoneLeft(env);
    // Some were killed while nobody waited for them; those are looked after each second.
    while (process.listenerCount("SIGHUP") > 0) await sleep(50);
  },
);

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
