import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleFolder, runCommand } from "../testing/command.test.kit.ts";

const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);

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

for (const [title, text, pattern] of [
  ["a syntax error", "export function main( {\n", /main\.mjs/],
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
