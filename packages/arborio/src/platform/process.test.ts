/**
 * What `run` does with the process around it. The programs are in this file too: it starts itself with the name of one, on the
 * runtime that runs the tests.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  abandonOnCancel,
  CancelScope,
  checkpoint,
  failAfter,
  InterruptedError,
  moveOnAfter,
  race,
  run,
  shielded,
  sleep,
  sleepForever,
  soft,
  taskGroup,
} from "../index.ts";
import { runSyncSoon } from "../lowlevel.ts";

const PROGRAM = "ARBORIO_TEST_PROGRAM";
/** A program that has not ended by then hangs. */
const PROGRAM_MS_MAX = 60_000;
/** Longer than a repeated signal is taken for the first. */
const BETWEEN_SIGNALS_MS = 150;
/** Far longer than any program here runs. */
const LONG_MS = 3_600_000;

const say = (text: string): void => console.log(text);

/** Waits for a signal, and says how it was cleaned up. */
async function untilSignal(): Promise<void> {
  say("ready");
  try {
    await sleepForever();
  } finally {
    await shielded(() => sleep(5));
    say("cleaned up");
  }
}

async function h(): Promise<void> {
  await checkpoint();
  await sleepForever();
}

const programs: Readonly<Record<string, () => Promise<void>>> = {
  signal: () => run(() => taskGroup((group) => void group.startSoon(untilSignal))),
  signalAfterMain: () => run((group) => void group.startSoon(untilSignal)),
  async grace() {
    const value = await run(
      async () => {
        say("ready");
        await soft(() => sleepForever());
        await sleep(20);
        return "drained";
      },
      { graceMs: LONG_MS },
    );
    say(value);
  },
  graceOver: () =>
    run(
      async () => {
        await soft(untilSignal);
        say("asked");
        await untilSignal();
      },
      { graceMs: 20 },
    ),
  twice: () => run(untilSignal, { graceMs: LONG_MS }),
  async handled() {
    try {
      await run(untilSignal);
    } catch (error) {
      assert.ok(error instanceof InterruptedError);
      say(error.signal);
      process.exitCode = 3;
    }
  },
  realError: () =>
    run(async () => {
      try {
        await untilSignal();
      } finally {
        // oxlint-disable-next-line no-unsafe-finally -- this is what the test is about
        throw new Error("the cleanup failed");
      }
    }),
  noSignals: () => run(untilSignal, { signals: [] }),
  async floating() {
    await run(async () => {
      await moveOnAfter(5, async () => {
        const a = h();
        const b = h();
        await a;
        await b;
      });
      await sleep(20);
    });
    say("survived");
  },
  async floatingDev() {
    await run(
      async () => {
        for (let round = 0; round < 3; round++)
          await moveOnAfter(5, async () => {
            const a = h();
            const b = h();
            await a;
            await b;
          });
        await sleep(20);
      },
      { dev: true },
    );
    say("survived");
  },
  async floatingLast() {
    await run(() =>
      moveOnAfter(5, async () => {
        const a = h();
        const b = h();
        await a;
        await b;
      }),
    );
    say("survived");
    await wait(20);
    say("still");
  },
  async othersRejection() {
    await run(async () => {
      void Promise.reject(new Error("somebody's own"));
      await sleep(100);
    });
  },
  async afterTheRun() {
    let late: Promise<unknown> | undefined;
    await run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {
        scope.cancel();
        late = checkpoint();
      });
    });
    void (async () => await late)();
    await wait(100);
  },
  async unhandledDefault() {
    await run(async () => {
      void taskGroup(() => {
        throw new Error("of a floating group");
      });
      await sleep(100);
    });
  },
  async onUnhandledDefault() {
    await run(async () => {
      runSyncSoon(() => {
        throw new Error("of no task");
      });
      await sleep(100);
    });
  },
  failing: () =>
    run((group) => {
      group.startSoon(() => Promise.reject(new TypeError("first of them")));
      group.startSoon(() => Promise.reject(new RangeError("second of them")));
    }),
  async endsByItself() {
    await run(async () => {
      await failAfter(LONG_MS, () => sleep(1));
      void sleep(LONG_MS);
    });
    await moveOnAfter(LONG_MS, () => sleep(1));
    say("ended");
  },
  async keepsAlive() {
    const woken = Promise.withResolvers<string>();
    setTimeout(() => woken.resolve("woken"), 50).unref();
    say(await run(() => woken.promise));
  },
  async sleepsOutside() {
    await sleep(10);
    say("slept");
    say(String(await moveOnAfter(10, () => sleepForever())));
  },
  async heap() {
    const never = new Promise<never>(() => {});
    const round = async (count: number): Promise<number> => {
      for (let index = 0; index < count; index++) {
        await moveOnAfter(LONG_MS, () => checkpoint());
        await new CancelScope().run((scope) => void (index % 4 === 0 && scope.signal));
        await race([() => abandonOnCancel(never), () => index]);
      }
      await collect();
      return process.memoryUsage().heapUsed;
    };
    await run(async () => {
      const before = await round(50_000);
      say(`grown by ${Math.round(((await round(1_000_000)) - before) / 1024)} KiB`);
    });
  },
};

/** A full garbage collection, which each runtime has its own flag or function for. */
async function collect(): Promise<void> {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  for (let round = 0; round < 3; round++) {
    if (Bun === undefined) gc?.();
    else Bun.gc(true);
    await wait(1);
  }
}

interface Ended {
  /** 128 + its number if a signal ended the process: Deno's child_process does not tell the two apart. */
  readonly code: number;
  readonly out: string[];
  readonly err: string;
}

/** Starts this file as one of the programs, sends it signals once it is ready; how it ended. */
async function runProgram(
  name: string,
  signals: readonly NodeJS.Signals[] = [],
  flags: readonly string[] = [],
): Promise<Ended> {
  const child = startProgram(name, flags);
  let out = "";
  let err = "";
  const isReady = Promise.withResolvers<void>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (out.includes("ready")) isReady.resolve();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const closed = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => {
      isReady.resolve();
      resolve({
        code: code ?? 128 + constants.signals[signal ?? "SIGKILL"],
        out: out.trim().split("\n"),
        err,
      });
    });
  });
  for (const signal of signals) {
    await isReady.promise;
    // Not child.kill: after that, Deno reports the signal whatever the child made of it.
    if (child.exitCode === null) process.kill(child.pid as number, signal);
    if (signals.length > 1) await wait(BETWEEN_SIGNALS_MS);
  }
  return await closed;
}

function startProgram(name: string, flags: readonly string[]): ChildProcess {
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawn(
    process.execPath,
    [...start, ...flags, ...conditions, fileURLToPath(import.meta.url)],
    {
      env: { ...env, [PROGRAM]: name, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PROGRAM_MS_MAX,
    },
  );
}

function defineTests(): void {
  for (const [signal, code, program] of [
    ["SIGINT", 130, "signal"],
    ["SIGTERM", 143, "signalAfterMain"],
  ] as const)
    test(`run: ${signal} cancels everything, cleanup runs, the process ends quietly with ${code} (§9)`, async () => {
      const ended = await runProgram(program, [signal]);
      assert.deepEqual(ended, { code, out: ["ready", "cleaned up"], err: "" });
    });

  test("run: with graceMs the first signal asks, what ends in time returns its value (§9)", async () => {
    const ended = await runProgram("grace", ["SIGTERM"]);
    assert.deepEqual(ended, { code: 0, out: ["ready", "drained"], err: "" });
  });

  test("run: when graceMs is over everything is cancelled (§9)", async () => {
    const ended = await runProgram("graceOver", ["SIGTERM"]);
    const out = ["ready", "cleaned up", "asked", "ready", "cleaned up"];
    assert.deepEqual(ended, { code: 143, out, err: "" });
  });

  test("run: the second signal cancels at once (§9)", async () => {
    const ended = await runProgram("twice", ["SIGTERM", "SIGINT"]);
    assert.deepEqual(ended, { code: 130, out: ["ready", "cleaned up"], err: "" });
  });

  test("run: InterruptedError can be handled, then the exit code is the program's own (§9)", async () => {
    const ended = await runProgram("handled", ["SIGINT"]);
    const out = ["ready", "cleaned up", "SIGINT"];
    assert.deepEqual(ended, { code: 3, out, err: "" });
  });

  test("run: an error in the cleanup after a signal is not hidden by it (§9)", async () => {
    const ended = await runProgram("realError", ["SIGINT"]);
    assert.equal(ended.code, 1);
    assert.match(ended.err, /the cleanup failed/);
  });

  test("run: signals: [] leaves the signals to the host (§9)", async () => {
    const ended = await runProgram("noSignals", ["SIGTERM"]);
    assert.deepEqual(ended, { code: 143, out: ["ready"], err: "" });
  });

  test("run: cancelled waits that nobody awaits do not end the process (§1.6)", async () => {
    const ended = await runProgram("floating");
    assert.deepEqual(ended, { code: 0, out: ["survived"], err: "" });
  });

  test("run: in dev mode they are reported, once (§1.6)", async () => {
    const ended = await runProgram("floatingDev");
    assert.equal(ended.code, 0);
    assert.equal(ended.err.match(/was never awaited/g)?.length, 1, ended.err);
  });

  test("run: also if they are the last thing in it (§1.6)", async () => {
    const ended = await runProgram("floatingLast");
    assert.deepEqual(ended, { code: 0, out: ["survived", "still"], err: "" });
  });

  test("run: unhandled rejections of others are the host's, as ever (§1.6)", async () => {
    const ended = await runProgram("othersRejection");
    assert.equal(ended.code, 1);
    assert.match(ended.err, /somebody's own/);
  });

  test("run: after the last run has ended, a rejection with Cancelled is the host's too (§1.6)", async () => {
    const ended = await runProgram("afterTheRun");
    assert.equal(ended.code, 1);
    assert.match(ended.err, /Cancelled/);
  });

  test("run: real errors that float are unhandled rejections (§9)", async () => {
    const ended = await runProgram("unhandledDefault");
    assert.equal(ended.code, 1);
    assert.match(ended.err, /of a floating group/);
  });

  test("onUnhandled: by default the runtime's handling of unhandled rejections (§9)", async () => {
    const ended = await runProgram("onUnhandledDefault");
    assert.equal(ended.code, 1);
    assert.match(ended.err, /of no task/);
  });

  test("run: unhandled, an ExceptionGroup ends the process and prints all its errors (§4.5)", async () => {
    const ended = await runProgram("failing");
    assert.equal(ended.code, 1);
    assert.match(ended.err, /TypeError: first of them/);
    assert.match(ended.err, /RangeError: second of them/);
  });

  test("run: the process ends by itself, whatever deadlines were far away (§9)", async () => {
    const ended = await runProgram("endsByItself");
    assert.deepEqual(ended, { code: 0, out: ["ended"], err: "" });
  });

  test("run: keeps the process alive while main waits for something that does not (§9)", async () => {
    const ended = await runProgram("keepsAlive");
    assert.deepEqual(ended, { code: 0, out: ["woken"], err: "" });
  });

  test("outside run: sleeps and deadlines keep the process alive as long as they last (§1.5)", async () => {
    const ended = await runProgram("sleepsOutside");
    assert.deepEqual(ended, { code: 0, out: ["slept", "undefined"], err: "" });
  });

  test("run: the heap is flat after a million timeouts, scopes, and races against what never settles (§5, §7)", async () => {
    const expose = { bun: [], deno: ["--v8-flags=--expose-gc"] };
    const runtime = (["bun", "deno"] as const).find((name) => name in process.versions);
    const flags = runtime === undefined ? ["--expose-gc"] : expose[runtime];
    const ended = await runProgram("heap", [], flags);
    const grown = Number(/grown by (-?\d+) KiB/.exec(ended.out[0] ?? "")?.[1]);
    assert.ok(grown < 4096, JSON.stringify(ended));
  });
}

const program = process.env[PROGRAM];
if (program === undefined) defineTests();
else await (programs[program] as () => Promise<void>)();
