/** That cancellation, wherever it comes, leaves no process, no pipe and no waiter. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { run, sleep, taskGroup } from "../index.ts";
import { openProcess, runProcess, shellCommand } from "../process.ts";
import { cancelEverywhere } from "../testing.ts";
import { encode, markedEnv, textOf, untilNoneLeft } from "./processes.test.kit.ts";

const TEST_MS_MAX = 60_000;

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body));
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
