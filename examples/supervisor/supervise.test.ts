import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ExceptionGroup, moveOnAfter, now, sleep, sleepForever } from "arborio";
import { openSignalReceiver, standardOutput } from "arborio/process";
import { simulate, type SimulatedProgram } from "arborio/sim";
import { Restarts } from "./restarts.ts";
import { type Service, supervise, type SuperviseOptions } from "./supervise.ts";

const PROGRAM = "main.ts";
const TEST_MS_MAX = 30_000;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Supervises simulated programs, and returns what was logged, each line with its time in whole seconds. */
async function story(
  programs: Readonly<Record<string, SimulatedProgram>>,
  services: readonly Service[],
  { forMs = Infinity, ...options }: Partial<SuperviseOptions> & { forMs?: number } = {},
): Promise<string[]> {
  const lines: string[] = [];
  await simulate({ seed: 1 }, async ({ localhost }) => {
    for (const [name, program] of Object.entries(programs)) localhost.program(name, program);
    const log = (name: string, line: string): void =>
      void lines.push(`${Math.floor(now() / 1000)} ${name} ${line}`);
    try {
      await moveOnAfter(forMs, () => supervise(services, { log, ...options }));
    } catch (error) {
      assert.ok(error instanceof ExceptionGroup);
      for (const leaf of error.leaves()) lines.push(String(leaf));
    }
    assert.deepEqual(localhost.processes, [], "nothing runs any more");
  });
  return lines;
}

test("supervise: starts again what has ended, later each time, and gives up", async () => {
  const crashing: SimulatedProgram = async () => {
    await standardOutput().send(encode("one\ntwo"));
    return 3;
  };
  const limits = { firstDelayMs: 1000, delayMsMax: 3000, restartsMax: 3 };
  const lines = await story(
    { crashing, steady: () => sleepForever() },
    [
      { name: "a", command: ["crashing"] },
      { name: "b", command: ["steady"] },
    ],
    { limits },
  );
  assert.deepEqual(
    lines.filter((line) => line.includes(" a ")).map((line) => line.replace(/ as \d+$/, "")),
    [
      "0 a started",
      "0 a | one",
      "0 a | two",
      "0 a ended with exit code 3",
      "0 a starts again in 1000 ms",
      "1 a started",
      "1 a | one",
      "1 a | two",
      "1 a ended with exit code 3",
      "1 a starts again in 2000 ms",
      "3 a started",
      "3 a | one",
      "3 a | two",
      "3 a ended with exit code 3",
      "3 a starts again in 3000 ms",
      "6 a started",
      "6 a | one",
      "6 a | two",
      "6 a ended with exit code 3",
    ],
  );
  assert.equal(lines.at(-1), "Error: a: ended too often; given up");
});

test("supervise: on failure, never, and always", async () => {
  const codes = [1, 0];
  const lines = await story(
    { thenGood: () => codes.shift() ?? 9, bad: () => 1, good: () => sleep(1000) },
    [
      { name: "onFailure", command: ["thenGood"], restart: "on-failure" },
      { name: "never", command: ["bad"], restart: "never" },
      { name: "always", command: ["good"] },
    ],
    { forMs: 3000 },
  );
  const endings = (name: string): string[] =>
    lines.filter((line) => line.includes(` ${name} ended`)).map((line) => line.slice(2));
  assert.deepEqual(endings("onFailure"), [
    "onFailure ended with exit code 1",
    "onFailure ended with exit code 0",
  ]);
  assert.deepEqual(endings("never"), ["never ended with exit code 1"]);
  assert.equal(endings("always").length, 2);
});

test("supervise: told to end, it asks the services, and waits for them", async () => {
  const asked: string[] = [];
  const tidy: SimulatedProgram = async ({ command: [, name = ""] }) => {
    using signals = openSignalReceiver(["SIGTERM"]);
    await signals.receive();
    await sleep(2000);
    asked.push(name);
  };
  const deaf: SimulatedProgram = async () => {
    using signals = openSignalReceiver(["SIGTERM"]);
    for await (const name of signals) asked.push(`deaf: ${name}`);
  };
  await story(
    { tidy, deaf },
    [
      { name: "a", command: ["tidy", "a"] },
      { name: "b", command: ["tidy", "b"] },
      { name: "c", command: ["deaf"] },
    ],
    { forMs: 10_000, graceMs: 3000 },
  );
  assert.deepEqual(asked.sort(), ["a", "b", "deaf: SIGTERM"]);
});

test("Restarts: one that ran well for a while begins anew; few at a time are no reason to give up", () => {
  const limits = { firstDelayMs: 10, delayMsMax: 100, restartsMax: 3, windowMs: 1000 };
  const restarts = new Restarts(limits);
  assert.deepEqual(
    [0, 400, 800, 1100, 1500].map((at) => restarts.next(at, 1)),
    [10, 20, 40, 80, 100],
  );
  assert.equal(restarts.next(1500, 1), undefined);
  assert.equal(restarts.next(5000, 100), 10);
});

test(
  "supervisor: real services run, and none is left after SIGTERM",
  { timeout: TEST_MS_MAX },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "arborio-supervisor-"));
    after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "services.json");
    const script = "echo $$; sleep 1000 & trap 'echo bye; exit' TERM; while :; do sleep 0.01; done";
    const services: Service[] = [
      { name: "real", command: ["/bin/sh", "-c", script] },
      { name: "brief", command: ["/bin/sh", "-c", "exit 4"], restart: "never" },
    ];
    writeFileSync(path, JSON.stringify(services));
    const { code, out } = await runMain(path);
    assert.equal(code, 143);
    assert.match(out, /brief ended with exit code 4/);
    assert.match(out, /real \| bye/);
    const pid = Number(/real \| (\d+)/.exec(out)?.[1]);
    while (isGroupThere(pid)) await wait(10);
  },
);

/** Those that have ended are there until the system has cleaned up. */
function isGroupThere(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** Starts the program, and sends it SIGTERM when its services run. */
async function runMain(path: string): Promise<{ code: number | null; out: string }> {
  const isCompiled = import.meta.url.endsWith(".js");
  const main = fileURLToPath(new URL(isCompiled ? "main.js" : PROGRAM, import.meta.url));
  const conditions = isCompiled ? [] : ["--conditions=@arborio/source"];
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const child = spawn(process.execPath, [...start, ...conditions, main, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  let told = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (told || !/real \| \d+/.test(out) || !out.includes("brief ended")) return;
    told = true;
    setTimeout(() => process.kill(child.pid as number, "SIGTERM"), 100);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on("close", (exitCode, by) => resolve([exitCode, by]));
  });
  return { code: code ?? (signal === "SIGTERM" ? 143 : null), out };
}
