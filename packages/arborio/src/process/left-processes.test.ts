/**
 * That no child outlives the program that started it. The programs are in this file too: it starts itself with the name of one, on the
 * runtime that runs the tests.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { run, sleep, sleepForever } from "../index.ts";
import { openProcess } from "../process.ts";
import { marked, markedEnv } from "./processes.test.kit.ts";

const PROGRAM = "ARBORIO_TEST_PROGRAM";
/** A program that has not ended by then hangs. */
const PROGRAM_MS_MAX = 30_000;
const FAMILY = "sh -c 'sleep 1000 & sleep 1000' & wait";
/** The shell, its child, and two grandchildren. */
const FAMILY_SIZE = 4;

const say = (text: string): void => console.log(text);
const isDeno = process.versions["deno"] !== undefined;

/** With children that ignore what can be ignored, so that only SIGKILL ends them. */
async function startFamily(): Promise<void> {
  await openProcess(["/bin/sh", "-c", `trap '' TERM HUP INT QUIT; ${FAMILY}`], {
    stdout: "ignore",
    stderr: "ignore",
  });
  // And this one.
  while (marked(ownMark()).length < FAMILY_SIZE + 1) await sleep(5);
}

function ownMark(): ReturnType<typeof markedEnv> {
  return { ARBORIO_TEST_MARK: process.env["ARBORIO_TEST_MARK"] ?? "" };
}

const programs: Readonly<Record<string, () => Promise<void>>> = {
  async exit() {
    await startFamily();
    process.exit(7);
  },
  async denoExit() {
    await startFamily();
    (globalThis as unknown as { Deno: { exit(code: number): never } }).Deno.exit(7);
  },
  async thrown() {
    await startFamily();
    setTimeout(() => {
      throw new Error("nobody catches this");
    });
  },
  async rejected() {
    await startFamily();
    void Promise.reject(new Error("nobody handles this"));
  },
  async thrownInRun() {
    await run(async () => {
      await startFamily();
      throw new Error("nobody catches this");
    });
  },
  async waiting() {
    await startFamily();
    say("ready");
  },
  waitingInRun: () =>
    run(async () => {
      await using _child = await openProcess(
        ["/bin/sh", "-c", `trap 'echo asked; exit' TERM; (${FAMILY}) & echo ready; wait`],
        { stdout: "inherit", stderr: "ignore" },
      );
      await sleepForever();
    }),
  /** Takes the signal itself: then nothing happens to the children. */
  async taken() {
    await startFamily();
    process.on("SIGTERM", () => {
      say("taken");
      process.exit(0);
    });
    setTimeout(() => say("ready"));
  },
  async notAllowed() {
    await assert.rejects(openProcess(["sleep", "1000"]), (error) => {
      say((error as Error).message);
      return true;
    });
  },
  /** An error that is caught is no end. */
  async caught() {
    process.on("uncaughtException", () => say(`caught`));
    process.on("unhandledRejection", () => say(`caught`));
    await startFamily();
    setTimeout(() => {
      throw new Error("this is caught");
    });
    setTimeout(() => void Promise.reject(new Error("this is caught")), 10);
    setTimeout(() => say("ready"), 50);
  },
};

interface Ended {
  readonly code: number;
  readonly out: string;
}

/** Starts a program, sends it a signal when it is ready, and waits until it has ended. */
async function runProgram(
  name: string,
  env: Readonly<Record<string, string>>,
  signal?: NodeJS.Signals,
  whenReady: () => void = () => {},
  allowed?: readonly string[],
): Promise<Ended> {
  const child = startProgram(name, env, allowed);
  let out = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const wasReady = out.includes("ready");
    out += text;
    if (wasReady || !out.includes("ready")) return;
    whenReady();
    if (signal !== undefined) process.kill(child.pid as number, signal);
  });
  return await new Promise((resolve) => {
    child.on("close", (code, by) =>
      resolve({ code: code ?? 128 + constants.signals[by ?? "SIGKILL"], out: out.trim() }),
    );
  });
}

const ALL_ALLOWED: readonly string[] = ["-A"];

/** @param allowed what it is allowed to do, on Deno. */
function programCommand(allowed: readonly string[] = ALL_ALLOWED): string[] {
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const start = isDeno ? ["run", ...allowed, "--no-check"] : [];
  return [process.execPath, ...start, ...conditions, fileURLToPath(import.meta.url)];
}

function startProgram(
  name: string,
  env: Readonly<Record<string, string>>,
  allowed?: readonly string[],
): ChildProcess {
  const [program = "", ...args] = programCommand(allowed);
  return spawn(program, args, {
    env: environment(name, env),
    stdio: ["ignore", "pipe", "ignore"],
    timeout: PROGRAM_MS_MAX,
    killSignal: "SIGKILL",
  });
}

function environment(
  name: string,
  env: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  return { ...inherited, ...env, [PROGRAM]: name, NO_COLOR: "1" };
}

/** The kill is under way when the program has ended; the system needs a moment. */
async function untilNoneLeft(env: ReturnType<typeof markedEnv>): Promise<void> {
  for (let ms = 1; marked(env).length > 0; ms *= 2) {
    assert.ok(ms < 2000, `still there: ${marked(env).join()}`);
    await wait(ms);
  }
}

function defineTests(): void {
  const endings: readonly (readonly [string, number, NodeJS.Signals?])[] = [
    ["exit", 7],
    ...(isDeno ? ([["denoExit", 7]] as const) : []),
    ["thrown", 1],
    ["rejected", 1],
    ["thrownInRun", 1],
    ...(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const).map(
      (signal): [string, number, NodeJS.Signals] => [
        "waiting",
        128 + constants.signals[signal],
        signal,
      ],
    ),
    ["waitingInRun", 129, "SIGHUP"],
  ];
  for (const [name, code, signal] of endings) {
    const title = `openProcess: none is left after ${name}${signal === undefined ? "" : ` and ${signal}`}`;
    test(title, { timeout: PROGRAM_MS_MAX }, async () => {
      const env = markedEnv();
      const ended = await runProgram(name, env, signal);
      assert.equal(ended.code, code);
      await untilNoneLeft(env);
    });
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const title = `openProcess: ${signal} to a run asks the processes in it to end`;
    test(title, { timeout: PROGRAM_MS_MAX }, async () => {
      const env = markedEnv();
      const { code, out } = await runProgram("waitingInRun", env, signal);
      assert.deepEqual([code, out], [128 + constants.signals[signal], "ready\nasked"]);
      await untilNoneLeft(env);
    });
  }
  test("openProcess: a signal that somebody else takes is theirs", async () => {
    const env = markedEnv();
    const { code, out } = await runProgram("taken", env, "SIGTERM");
    assert.deepEqual([code, out], [0, "ready\ntaken"]);
    await untilNoneLeft(env);
  });
  test("openProcess: errors that are caught end nothing", async () => {
    const env = markedEnv();
    let running = 0;
    const ready = (): void => void (running = marked(env).length);
    const { out } = await runProgram("caught", env, "SIGTERM", ready);
    assert.equal(out, "caught\ncaught\nready");
    assert.ok(running >= FAMILY_SIZE, `${running} were left`);
    await untilNoneLeft(env);
  });
  if (isDeno) definePermissionTest();
  defineTerminalTest();
}

function definePermissionTest(): void {
  test("openProcess: without the permission to end it, Deno starts no process", async () => {
    const env = markedEnv();
    const allowed = ["--no-prompt", "--allow-env", "--allow-read", "--allow-run=sleep"];
    const { code, out } = await runProgram("notAllowed", env, undefined, undefined, allowed);
    assert.match(
      out,
      /^start "sleep": Deno lets nobody send signals without --allow-run .*\(EPERM\)$/,
    );
    assert.equal(code, 0);
  });
}

const SCRIPT = "/usr/bin/script";

/** In a real terminal, which sends SIGINT to the program's group, but not to those of its children. */
function defineTerminalTest(): void {
  const title = "openProcess: Ctrl-C in a terminal ends the program and all that it has started";
  const isMissing = !existsSync(SCRIPT);
  if (isMissing) console.log(`# skip ${title}: needs script, the program`);
  const options = { timeout: PROGRAM_MS_MAX, skip: isMissing && "needs script" };
  test(title, options, async () => {
    const env = markedEnv();
    const quoted = programCommand().map((part) => `'${part}'`);
    const terminal = spawn(SCRIPT, ["-qec", quoted.join(" "), "/dev/null"], {
      env: environment("waitingInRun", env),
      stdio: ["pipe", "pipe", "inherit"],
      timeout: PROGRAM_MS_MAX,
    });
    let out = "";
    terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (!out.includes("ready") && (out + text).includes("ready")) terminal.stdin.write("\u0003");
      out += text;
    });
    const code = await new Promise((resolve) => {
      terminal.on("close", resolve);
    });
    assert.equal(code, 130, out);
    assert.match(out, /ready[^]*asked/);
    await untilNoneLeft(env);
  });
}

const program = programs[process.env[PROGRAM] ?? ""];
if (program === undefined) defineTests();
else await program();
