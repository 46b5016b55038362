/** How processes end: asked, killed, reaped, with all that they have started. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import {
  BusyResourceError,
  CancelScope,
  moveOnAfter,
  now,
  run,
  sleep,
  sleepForever,
  taskGroup,
} from "../index.ts";
import { type ChildProcess, openProcess, type OpenProcessOptions } from "../process.ts";
import { marked, markedEnv, statOf, textOf, untilSaid, zombies } from "./processes.test.kit.ts";

const TEST_MS_MAX = 30_000;
/** Longer than any test takes: who waits so long hangs. */
const NEVER_MS = 1_000_000;

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body));
}

/** A shell with a child and a grandchild, and one of its own that has left its parent. */
const FAMILY = "sh -c 'sleep 1000 & sleep 1000' & (sleep 1000 &); echo ready; sleep 1000";

/** Says when it is ready, and ignores SIGTERM. */
const DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

/** What the shell says about its children that were ended is not for the tests' output. */
function openScript(script: string, options: OpenProcessOptions): Promise<ChildProcess> {
  return openProcess(["/bin/sh", "-c", script], { stderr: "ignore", ...options });
}

hostTest("ChildProcess: at the end of its block nothing is left of its whole group", async () => {
  const env = markedEnv();
  {
    await using child = await openScript(FAMILY, { env, graceMs: NEVER_MS });
    await untilSaid(child.stdout, "ready");
    while (marked(env).length < 6) await sleep(5);
  }
  assert.deepEqual(marked(env), []);
  assert.deepEqual(zombies(), []);
});

hostTest("ChildProcess: also if an error or a cancellation ends the block", async () => {
  const env = markedEnv();
  const open = async (): Promise<void> => {
    await using child = await openScript(FAMILY, { env, graceMs: NEVER_MS });
    await untilSaid(child.stdout, "ready");
    await sleepForever();
  };
  const failing = async (): Promise<void> => {
    await using child = await openScript(FAMILY, { env, graceMs: NEVER_MS });
    await untilSaid(child.stdout, "ready");
    throw new Error("the block failed");
  };
  await moveOnAfter(100, open);
  assert.deepEqual(marked(env), []);
  await assert.rejects(failing(), /the block failed/);
  assert.deepEqual(marked(env), []);
});

hostTest("ChildProcess: what is left when the process itself has ended is ended too", async () => {
  const env = markedEnv();
  {
    await using child = await openScript("sleep 1000 & exit 4", {
      env,
      graceMs: NEVER_MS,
    });
    assert.deepEqual(await child.wait(), { code: 4 });
    // It may just be becoming another program.
    while (marked(env).length < 1) await sleep(5);
  }
  assert.deepEqual(marked(env), []);
});

hostTest(
  "ChildProcess: who ignores SIGTERM is killed after the grace time, and not sooner",
  async () => {
    const env = markedEnv();
    let start = 0;
    let child: ChildProcess;
    {
      await using opened = await openScript(
        "trap '' TERM; sh -c 'echo ready; while :; do sleep 0.05; done'",
        { env, graceMs: 300 },
      );
      child = opened;
      await untilSaid(child.stdout, "ready");
      start = now();
    }
    const tookMs = now() - start;
    assert.deepEqual(child.exit, { signal: "SIGKILL" });
    assert.ok(tookMs >= 290, `after ${tookMs} ms`);
    assert.deepEqual(marked(env), []);
  },
);

hostTest(
  "ChildProcess: a member of the group that ignores SIGTERM is killed after the grace time",
  async () => {
    const env = markedEnv();
    {
      await using child = await openScript(
        "(trap '' TERM; echo ready; while :; do sleep 0.05; done) & sleep 1000",
        { env, graceMs: 200 },
      );
      await untilSaid(child.stdout, "ready");
    }
    assert.deepEqual(marked(env), []);
  },
);

hostTest(
  "ChildProcess: has its grace time under a cancelled scope too, and uses no more than it needs",
  async () => {
    const script = "trap 'sleep 0.1; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let start = 0;
    let child: ChildProcess | undefined;
    const scope = new CancelScope();
    await scope.run(async () => {
      await using opened = await openScript(script, { graceMs: NEVER_MS });
      child = opened;
      await untilSaid(child.stdout, "ready");
      start = now();
      scope.cancel();
      await sleepForever();
    });
    assert.deepEqual(child?.exit, { code: 7 });
    assert.ok(now() - start >= 100);
  },
);

hostTest("ChildProcess: one that starts others all the time leaves none", async () => {
  const env = markedEnv();
  {
    await using child = await openScript(
      "trap '' TERM; echo ready; while :; do (sleep 1000 &); done",
      { env, graceMs: 50 },
    );
    await untilSaid(child.stdout, "ready");
    await sleep(20);
  }
  assert.deepEqual(marked(env), []);
});

hostTest("ChildProcess: ended by several at once, it ends once", async () => {
  const child = await openProcess(["sleep", "1000"], { graceMs: NEVER_MS });
  const dispose = (): Promise<void> => child[Symbol.asyncDispose]();
  const exits = await Promise.all([dispose(), child.stop(), dispose()]);
  assert.deepEqual(exits, [undefined, { signal: "SIGTERM" }, undefined]);
  await dispose();
});

hostTest("ChildProcess: can say its last words although nobody reads any more", async () => {
  const script =
    "trap 'head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
  let child: ChildProcess;
  {
    await using opened = await openScript(script, {
      stderr: "pipe",
      graceMs: NEVER_MS,
    });
    child = opened;
    await untilSaid(child.stdout, "ready");
  }
  assert.deepEqual(child.exit, { code: 5 });
});

hostTest("ChildProcess: one that is stopped is ended as any other", async () => {
  let child: ChildProcess;
  {
    await using opened = await openProcess(["sleep", "1000"], { graceMs: NEVER_MS });
    child = opened;
    child.sendSignal("SIGSTOP");
    while (statOf(child.pid)?.state !== "T") await sleep(1);
  }
  assert.deepEqual(child.exit, { signal: "SIGTERM" });
});

hostTest("ChildProcess.stop: tells how it ended, and its last words can be read", async () => {
  await using child = await openScript(
    "trap 'echo bye; exit 6' TERM; echo ready; while :; do sleep 0.01; done",
    { graceMs: NEVER_MS },
  );
  await untilSaid(child.stdout, "ready\n");
  assert.deepEqual(await child.stop(), { code: 6 });
  assert.equal(await textOf(child.stdout), "bye\n");
  assert.deepEqual(await child.stop(), { code: 6 });
});

hostTest(
  "ChildProcess.stop: with a grace time of its own, also by several tasks at once, and when cancelled",
  async () => {
    await using child = await openScript(DEAF, { graceMs: NEVER_MS });
    await untilSaid(child.stdout, "ready");
    await assert.rejects(child.stop({ graceMs: Number.NaN }), RangeError);
    const exits: unknown[] = [];
    await taskGroup((group) => {
      for (const graceMs of [50, NEVER_MS])
        group.startSoon(async () => void exits.push(await child.stop({ graceMs })));
    });
    assert.deepEqual(exits, [{ signal: "SIGKILL" }, { signal: "SIGKILL" }]);
    await using other = await openProcess(["sleep", "1000"], { graceMs: NEVER_MS });
    const scope = new CancelScope();
    await scope.run(async () => {
      scope.cancel();
      assert.deepEqual(await other.stop(), { signal: "SIGTERM" });
    });
  },
);

hostTest(
  "ChildProcess: its end closes its streams; a task that reads it then goes on to read till the end",
  async () => {
    let child: ChildProcess;
    await taskGroup(async (group) => {
      await using opened = await openScript(
        "trap 'echo bye; exit' TERM; echo ready; while :; do sleep 0.01; done",
        { stdin: "pipe", graceMs: NEVER_MS },
      );
      child = opened;
      const reading = group.startSoon(async () => {
        const text = await textOf(child.stdout);
        assert.equal(text, "ready\nbye\n");
      });
      await sleep(50);
      await assert.rejects(child.stdout.receive(), BusyResourceError);
      await child.stop();
      await reading.wait();
    });
    await assert.rejects(child!.stdout.receive(), /closed/);
    await assert.rejects(child!.stdin.send(new Uint8Array(1)), /closed/);
  },
);

hostTest(
  "ChildProcess.terminate, kill: to the whole group; one that shares ours is ended alone",
  async () => {
    const env = markedEnv();
    await using own = await openScript(FAMILY, { env, graceMs: NEVER_MS });
    await untilSaid(own.stdout, "ready");
    own.terminate();
    assert.deepEqual(await own.wait(), { signal: "SIGTERM" });
    while (marked(env).length > 0) await sleep(1);
    await using killed = await openScript(FAMILY, { env, graceMs: NEVER_MS });
    await untilSaid(killed.stdout, "ready");
    killed.kill();
    assert.deepEqual(await killed.wait(), { signal: "SIGKILL" });
    while (marked(env).length > 0) await sleep(1);
    await using shared = await openProcess(["sleep", "1000"], { env, group: "inherit" });
    assert.equal(statOf(shared.pid)?.group, statOf(process.pid)?.group);
    assert.deepEqual(await shared.stop(), { signal: "SIGTERM" });
    assert.deepEqual(marked(env), []);
  },
);

hostTest(
  "ChildProcess: no listener of this process is left when the last one has ended",
  async () => {
    const signals = ["exit", "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
    const count = (): number[] => signals.map((name) => process.listenerCount(name));
    // A process of an earlier test may be about to end: the listeners are there once for all.
    while (process.listenerCount("SIGQUIT") > 0) await sleep(1);
    const before = count();
    {
      await using first = await openProcess(["sleep", "1000"]);
      await using second = await openProcess(["sleep", "1000"]);
      assert.notDeepEqual(count(), before);
      await first.stop();
      assert.notDeepEqual(count(), before);
      assert.equal(second.exit, undefined);
    }
    await sleep(10);
    assert.deepEqual(count(), before);
  },
);

test("ChildProcess: can be ended outside of a run", { timeout: TEST_MS_MAX }, async () => {
  const env = markedEnv();
  const child = await openScript(FAMILY, { env });
  await untilSaid(child.stdout, "ready");
  await child[Symbol.asyncDispose]();
  assert.deepEqual(marked(env), []);
});

test(
  "ChildProcess: a disposal that nobody awaits is awaited by the end of the run",
  { timeout: TEST_MS_MAX },
  async () => {
    const env = markedEnv();
    let child: ChildProcess | undefined;
    await run(async () => {
      child = await openScript(DEAF, { env, graceMs: 100 });
      await untilSaid(child.stdout, "ready");
      void child[Symbol.asyncDispose]();
    });
    assert.deepEqual(child?.exit, { signal: "SIGKILL" });
    assert.deepEqual(marked(env), []);
  },
);
