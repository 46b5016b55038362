/**
 * What receivers of signals do to a real process. The programs are in this file too: it starts itself with the name of one, on
 * the runtime that runs the tests.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run, sleep, sleepForever } from "../index.ts";
import { openSignalReceiver } from "../process.ts";

const PROGRAM = "ARBORIO_TEST_PROGRAM";
/** A program that has not ended by then hangs. */
const PROGRAM_MS_MAX = 20_000;

const say = (text: string): void => console.log(text);

const programs: Readonly<Record<string, () => Promise<void>>> = {
  /** The first SIGTERM is the program's own affair, the second ends the run. */
  takesPrecedence: () =>
    run(async () => {
      const receiver = openSignalReceiver(["SIGTERM"]);
      say("ready");
      say(`received ${await receiver.receive()}`);
      receiver.close();
      say("ready again");
      try {
        await sleepForever();
      } finally {
        say("cleaned up");
      }
    }),
  /** Without a run's handling, closing brings the system's default back. */
  restoresDefault: () =>
    run(
      async () => {
        const receiver = openSignalReceiver(["SIGTERM", "SIGHUP"]);
        say("ready");
        say(`received ${await receiver.receive()}`);
        receiver.close();
        say("ready again");
        await sleepForever();
      },
      { signals: [] },
    ),
  async doesNotKeepAlive() {
    openSignalReceiver(["SIGHUP"]);
    await sleep(1);
    say("ended");
  },
  /** A signal that came too late for the receiver is not lost. */
  closesTooSoon: () =>
    run(
      async () => {
        const receiver = openSignalReceiver(["SIGTERM"]);
        process.kill(process.pid, "SIGTERM");
        await sleep(50);
        receiver.close();
        await sleepForever();
      },
      { signals: [] },
    ),
};

interface Ended {
  readonly code: number;
  readonly out: string[];
}

/** Starts this file as one of the programs, and sends it a signal each time that it says it is ready; how it ended. */
async function runProgram(name: string, signal: NodeJS.Signals): Promise<Ended> {
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [...start, ...conditions, fileURLToPath(import.meta.url)], {
    env: { ...env, [PROGRAM]: name, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: PROGRAM_MS_MAX,
  });
  let out = "";
  let sent = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    for (; sent < (out.match(/ready/g)?.length ?? 0); sent++)
      process.kill(child.pid as number, signal);
  });
  return await new Promise((resolve) => {
    child.on("close", (code, killedBy) =>
      resolve({
        code: code ?? 128 + constants.signals[killedBy ?? "SIGKILL"],
        out: out.trim().split("\n"),
      }),
    );
  });
}

function defineTests(): void {
  test("openSignalReceiver: in a run it takes precedence over the run's own handling, which comes back when it closes", async () => {
    const ended = await runProgram("takesPrecedence", "SIGTERM");
    assert.deepEqual(ended, {
      code: 143,
      out: ["ready", "received SIGTERM", "ready again", "cleaned up"],
    });
  });

  test("SignalReceiver.close: restores the system's default", async () => {
    for (const [signal, code] of [
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      const ended = await runProgram("restoresDefault", signal);
      assert.deepEqual(ended, { code, out: ["ready", `received ${signal}`, "ready again"] });
    }
  });

  test("openSignalReceiver: does not keep the program alive", async () => {
    assert.deepEqual(await runProgram("doesNotKeepAlive", "SIGHUP"), { code: 0, out: ["ended"] });
  });

  test("SignalReceiver.close: a signal that nobody received does after all what it did before", async () => {
    assert.deepEqual(await runProgram("closesTooSoon", "SIGTERM"), { code: 143, out: [""] });
  });
}

const program = process.env[PROGRAM];
if (program === undefined) defineTests();
else await (programs[program] as () => Promise<void>)();
