/**
 * That no worker process outlives the program that started it, nor keeps it from ending, nor gets into what it writes. The programs are in
 * this file too: it starts itself with the name of one, on the runtime that runs the tests.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CapacityLimiter, run, sleep } from "../index.ts";
import { marked, markedEnv, untilNoneLeft } from "../process/processes.test.kit.ts";
import { runInProcess } from "../threads.ts";

const PROGRAM = "ARBORIO_TEST_PROGRAM";
/** A program that has not ended by then hangs. */
const PROGRAM_MS_MAX = 20_000;
const TEST_MS_MAX = 30_000;
const isDeno = process.versions["deno"] !== undefined;

/** This file, which is also what its processes load. */
const SELF = import.meta.url;

export function nothing(): void {}

export function print(text: string): string {
  console.log(text);
  return text;
}

export async function wait(): Promise<void> {
  console.log("ready");
  await sleep(1_000_000);
}

export function startOtherAndLoop(): never {
  spawn("sleep", ["1000"], { stdio: "ignore" });
  console.log("ready");
  for (;;);
}

/** One that works, with what it has started, one that waits, and one that is idle. */
async function startAll(): Promise<void> {
  const limiter = new CapacityLimiter(3);
  await Promise.all([
    runInProcess(SELF, "nothing", { limiter }),
    runInProcess(SELF, "startOtherAndLoop", { limiter }),
    runInProcess(SELF, "wait", { limiter }),
  ]);
}

/** The three processes, and what one of them has started. */
const ALL = 4;

const programs: Readonly<Record<string, () => Promise<void>>> = {
  /** Nothing to do any more. */
  async idle() {
    await runInProcess(SELF, "print", { args: ["from the process"] });
    console.log("from the program");
  },
  async idleAfterRun() {
    await run(() => runInProcess(SELF, "nothing"));
    console.log("done");
  },
  working: startAll,
  async workingInRun() {
    await run(startAll);
  },
  /** Those that see the end of the program by themselves: nobody could kill them. */
  async waiting() {
    await runInProcess(SELF, "nothing");
    await runInProcess(SELF, "wait");
  },
  async exit() {
    void startAll();
    await untilRunning(ALL);
    process.exit(7);
  },
  async exitAtOnce() {
    void runInProcess(SELF, "nothing");
    process.exit(7);
  },
  async thrown() {
    void startAll();
    await untilRunning(ALL);
    setTimeout(() => {
      throw new Error("nobody catches this");
    });
  },
};

/** Processes of this program, and what they have started. */
async function untilRunning(count: number): Promise<void> {
  const env = { ARBORIO_TEST_MARK: process.env["ARBORIO_TEST_MARK"] ?? "" };
  while (marked(env).length < count + 1) await sleep(5);
}

interface Ended {
  readonly code: number;
  readonly out: string;
}

/** Starts a program, sends it a signal when its functions are ready, and waits until it has ended. */
async function runProgram(
  name: string,
  env: Readonly<Record<string, string>>,
  readyCount: number,
  signal?: NodeJS.Signals,
): Promise<Ended> {
  const conditions = SELF.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const flags = isDeno ? ["run", "-A", "--no-check"] : [];
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [...flags, ...conditions, fileURLToPath(SELF)], {
    env: { ...inherited, ...env, [PROGRAM]: name, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "ignore"],
    // By a signal that it can hear, so that it leaves nothing.
    timeout: PROGRAM_MS_MAX,
    killSignal: "SIGTERM",
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const before = out.split("ready").length;
    out += text;
    const isReady = out.split("ready").length > readyCount;
    if (signal === undefined || before > readyCount || !isReady) return;
    process.kill(child.pid as number, signal);
  });
  return await new Promise((resolve) => {
    child.on("close", (code, by) =>
      resolve({ code: code ?? 128 + constants.signals[by ?? "SIGKILL"], out: out.trim() }),
    );
  });
}

function defineTest(
  title: string,
  body: (env: Readonly<Record<string, string>>) => Promise<void>,
): void {
  test(title, { timeout: TEST_MS_MAX }, async () => {
    const env = markedEnv();
    await body(env);
    await run(() => untilNoneLeft(env));
  });
}

function defineTests(): void {
  defineTest("runInProcess: idle processes keep no program alive, and end with it", async (env) => {
    const { code, out } = await runProgram("idle", env, 0);
    assert.deepEqual([code, out], [0, "from the process\nfrom the program"]);
    assert.deepEqual(await runProgram("idleAfterRun", env, 0), { code: 0, out: "done" });
  });
  defineTest(
    "runInProcess: a program that exits while a process starts leaves nothing",
    async (env) => {
      const directory = mkdtempSync(join(tmpdir(), "arborio-test-"));
      const { code } = await runProgram("exitAtOnce", { ...env, TMPDIR: directory }, 0);
      assert.equal(code, 7);
      assert.deepEqual(readdirSync(directory), []);
      rmSync(directory, { recursive: true });
    },
  );
  const endings: readonly (readonly [string, number, number, NodeJS.Signals?])[] = [
    ["exit", 7, 2],
    ["thrown", 1, 2],
    ...(["SIGTERM", "SIGHUP"] as const).map((signal): [string, number, number, NodeJS.Signals] => [
      "working",
      128 + constants.signals[signal],
      2,
      signal,
    ]),
    ["workingInRun", 128 + constants.signals.SIGTERM, 2, "SIGTERM"],
    ["waiting", 128 + constants.signals.SIGKILL, 1, "SIGKILL"],
  ];
  for (const [name, code, readyCount, signal] of endings) {
    const how = signal === undefined ? name : `${name} and ${signal}`;
    defineTest(`runInProcess: no process is left after ${how}`, async (env) => {
      assert.equal((await runProgram(name, env, readyCount, signal)).code, code);
    });
  }
}

// A process that one of the programs has started has their environment too.
const isWorker = process.argv.length === 2 && process.connected;
const program = programs[process.env[PROGRAM] ?? ""];
if (program === undefined) defineTests();
else if (!isWorker) await program();
