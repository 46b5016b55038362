import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CommandProcess,
  ModuleFolder,
  runCommand,
  terminalTest,
} from "../testing/command.test.kit.ts";

const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);

/** Asks to be let go, and says what happens to it. */
const SLEEPER = `
import { sleepForever, soft } from "arborio";
export async function main(group, [how]) {
  console.log("ready");
  try {
    if (how === "soft") await soft(() => sleepForever());
    if (how === "soft") console.log("asked");
    await sleepForever();
  } finally {
    console.log("cleaned up");
  }
}
`;

/** Does not care about cancellation. */
const STUCK = `
import { shielded, sleepForever } from "arborio";
export async function main(group) {
  group.startSoon(() => shielded(() => sleepForever()), { name: "stubborn" });
  console.log("ready");
}
`;

test("arborio run: main gets the root group and the arguments, and a number that it returns is the exit code", async () => {
  using folder = new ModuleFolder();
  const file = folder.write(
    "main.mjs",
    `import { argv } from "node:process";
    import { sleep } from "arborio";
    export const main = async (group, args) => {
      group.startSoon(async () => { await sleep(1); console.log("a task"); });
      console.log(JSON.stringify([args, argv.slice(1)]));
      return 7;
    };`,
  );
  const ended = await runCommand(["run", file, "a", "--", "--b", "-c"]);
  const args = ["a", "--b", "-c"];
  assert.deepEqual(ended, {
    code: 7,
    out: `${JSON.stringify([args, [file, ...args]])}\na task\n`,
    err: "",
  });
});

test("arborio run: a default export will do; what it returns besides numbers is nothing", async () => {
  using folder = new ModuleFolder();
  folder.write("main.mjs", 'export default () => "unused";');
  const options = { cwd: folder.path };
  assert.deepEqual(await runCommand(["run", "main.mjs"], options), { code: 0, out: "", err: "" });
});

test("arborio run: process.exitCode, as set by the program, stands", async () => {
  using folder = new ModuleFolder();
  folder.write(
    "main.mjs",
    'import p from "node:process"; export const main = () => { p.exitCode = 9; };',
  );
  assert.equal((await runCommand(["run", "main.mjs"], { cwd: folder.path })).code, 9);
});

test("arborio run: TypeScript, as far as the runtime takes it", async () => {
  using folder = new ModuleFolder();
  folder.write("main.ts", "export const main = (_: unknown, [a]: string[]): number => Number(a);");
  const { code, err } = await runCommand(["run", "main.ts", "5"], { cwd: folder.path });
  assert.deepEqual([code, err.replace(/.*ExperimentalWarning.*\n.*\n/, "")], [5, ""]);
});

for (const [title, text, message] of [
  ["a module without a main", "export const other = 1;", "exports neither main nor a default"],
  ["a main that is no function", "export const main = 1;", "exports a main that is no function"],
  ["a missing file", null, "there is no such file"],
] as const) {
  test(`arborio run: ${title} is an error of the command line`, async () => {
    using folder = new ModuleFolder();
    if (text !== null) folder.write("main.mjs", text);
    const { code, out, err } = await runCommand(["run", "main.mjs"], { cwd: folder.path });
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, new RegExp(`^arborio: main.mjs:? ${message}`));
    assert.equal(err.trimEnd().split("\n").length, 1, err);
  });
}

test("arborio run: a folder is an error of the command line", async () => {
  using folder = new ModuleFolder();
  const { code, err } = await runCommand(["run", "."], { cwd: folder.path });
  assert.deepEqual([code, err], [2, "arborio: .: this is a directory, not a module\n"]);
});

for (const [title, text, pattern] of [
  ["a syntax error", "export function main( {\n", /main\.mjs/],
  ["a missing import", 'import "./nothing.mjs";', /nothing\.mjs/],
  ["a module that throws", 'throw new Error("at the top");', /at the top/],
  ["a main that throws", 'export const main = () => { throw new Error("in main"); };', /in main/],
  [
    "tasks that fail",
    `export const main = (group) => {
      for (const n of [1, 2]) group.startSoon(() => { throw new Error("task " + n); });
    };`,
    /task 1[^]*task 2/,
  ],
] as const) {
  test(`arborio run: ${title}: the runtime says what and where, and the exit code is 1`, async () => {
    using folder = new ModuleFolder();
    folder.write("main.mjs", text);
    const { code, out, err } = await runCommand(["run", "main.mjs"], { cwd: folder.path });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, pattern);
  });
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`arborio run: ${signal} cancels main, which cleans up, and the process ends quietly with ${code}`, async () => {
    using folder = new ModuleFolder();
    using command = new CommandProcess(["run", folder.write("main.mjs", SLEEPER)]);
    await command.until(/ready/);
    command.signal(signal);
    assert.deepEqual(await command.ended(), { code, out: "ready\ncleaned up\n", err: "" });
  });
}

test("arborio run --grace: the first SIGINT asks, the second cancels", async () => {
  using folder = new ModuleFolder();
  const file = folder.write("main.mjs", SLEEPER);
  using command = new CommandProcess(["run", "--grace", "1h", file, "soft"]);
  await command.until(/ready/);
  command.signal("SIGINT");
  await command.until(/asked/);
  await later();
  command.signal("SIGINT");
  assert.deepEqual(await command.ended(), {
    code: 130,
    out: "ready\nasked\ncleaned up\n",
    err: "",
  });
});

test("arborio run: the third SIGINT ends the process, whatever still runs", async () => {
  using folder = new ModuleFolder();
  using command = new CommandProcess(["run", folder.write("main.mjs", STUCK)]);
  await command.until(/ready/);
  const ended = command.ended();
  // On a busy machine two may arrive at once, and count once.
  for (let isOver = false; !isOver; isOver = await Promise.race([ended.then(() => true), later()]))
    command.signal("SIGINT");
  assert.deepEqual(await ended, { code: 130, out: "ready\n", err: "" });
});

terminalTest("arborio run: Ctrl-C in a terminal", async () => {
  using folder = new ModuleFolder();
  const file = folder.write("main.mjs", SLEEPER);
  using command = new CommandProcess(["run", file], { terminal: true });
  await command.until(/ready/);
  command.type("\x03");
  const { code, out } = await command.ended();
  assert.equal(code, 130);
  assert.match(out, /ready\s+(\^C)?cleaned up\s+$/);
});

test("arborio run … | head -1: ends quietly", async () => {
  using folder = new ModuleFolder();
  const file = folder.write(
    "main.mjs",
    `import { sleep } from "arborio";
    export async function main() {
      try {
        for (let n = 0; n < ${isNode ? "Infinity" : 100}; n++) { console.log("line " + n); await sleep(1); }
      } finally {
        console.error("cleaned up");
      }
    }`,
  );
  const shell = '{ "$0" "$@"; echo "code $?" >&2; } | head -1';
  const ended = await runCommand(["run", file], { shell });
  // Bun and Deno tell nobody that console.log had no reader: there the program runs to its own end.
  const err = `cleaned up\ncode ${isNode ? 141 : 0}\n`;
  assert.deepEqual(ended, { code: 0, out: "line 0\n", err });
});

test("arborio run --backend simulator: an hour in no time, and the same seed gives the same run", async () => {
  using folder = new ModuleFolder();
  const file = folder.write(
    "main.mjs",
    `import { now, sleep } from "arborio";
    export async function main(group) {
      for (let n = 0; n < 9; n++) group.startSoon(async () => { await sleep(3600000); console.log(n, now()); });
    }`,
  );
  const simulated = ["run", "--backend", "simulator"];
  const first = await runCommand([...simulated, file]);
  assert.equal(first.code, 0);
  assert.match(first.out, /^(\d 3600000\n){9}$/);
  const [, seed] = /^arborio: simulated with --seed (\d+)\n$/.exec(first.err) ?? [];
  assert.ok(seed !== undefined, first.err);
  assert.deepEqual(await runCommand([...simulated, "--seed", seed, file]), first);
});

test("arborio run --dev: names a task that does not end when it is cancelled", async () => {
  using folder = new ModuleFolder();
  using command = new CommandProcess(["run", "--dev", folder.write("main.mjs", STUCK)]);
  await command.until(/ready/);
  command.signal("SIGINT");
  await command.until(
    /^arborio: task "stubborn" \(#\d+\) was cancelled 2\.\d s ago and has not ended: it waits in sleepForever$/m,
  );
});

test("arborio run --dev: says that the thread was blocked", async () => {
  using folder = new ModuleFolder();
  const file = folder.write(
    "main.mjs",
    `import { sleep } from "arborio";
    export async function main() {
      await sleep(10);
      for (const start = performance.now(); performance.now() - start < 500;);
      await sleep(200);
    }`,
  );
  const { code, err } = await runCommand(["run", "--dev", file]);
  assert.equal(code, 0);
  assert.match(err, /^arborio: the thread was blocked for about \d{3,} ms; no task could go on$/m);
});

test("arborio run --dev: prints the tasks at SIGQUIT, and goes on", async () => {
  using folder = new ModuleFolder();
  using command = new CommandProcess(["run", "--dev", folder.write("main.mjs", SLEEPER)]);
  await command.until(/ready/);
  command.signal("SIGQUIT");
  await command.until(/^arborio: tasks\nmain \(#\d+\): sleepForever for \d+ ms$/m);
  command.signal("SIGINT");
  assert.equal((await command.ended()).code, 130);
});

/** A person's pause: signals that come at once count once. */
function later(): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, 150, false));
}
