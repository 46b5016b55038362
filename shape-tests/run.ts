/**
 * `npm run shape`: checks what is published, not the source.
 *
 * Builds and packs every package, looks at the tarballs with publint, attw and our own eyes, installs each into an empty folder,
 * runs a program on every runtime, type-checks a consumer, and bundles for browsers. Prints a line per check.
 */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { runCommand } from "../scripts/lib/command.ts";
import { buildPackages } from "../scripts/lib/compile.ts";
import { ensureInstalled } from "../scripts/lib/install.ts";
import { type Runtime, runtimes } from "../scripts/lib/runtimes.ts";
import { root } from "../scripts/lib/workspace.ts";
import { packAndInstall, type Tarball } from "./tarball.ts";

/** Everything that may lie at the top of the tarball. */
const topLevel = ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "src"];

/** A program that does next to nothing takes far less, also on a busy machine. */
const programLimitMs = 30_000;

/** What a check found wrong; empty when all is well. */
type Check = () => Promise<string>;

await ensureInstalled("runtimes");
await buildPackages({ typeCheck: true });
let failed = 0;
const arborio = await packAndInstall("arborio", []);
const http = await packAndInstall("http", [arborio]);
const cli = await packAndInstall("cli", [arborio, http]);
await check("repository", { knip: () => tool("knip", ["--no-progress", "--no-config-hints"]) });
await check("arborio", {
  ...checksOf("arborio", arborio),
  "bundle for browsers": () => checkBundle(arborio),
});
await check("http", checksOf("http", http));
await check("cli", checksOfCommand("cli", cli));
for (const { folder } of [arborio, http, cli]) rmSync(folder, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;

async function check(title: string, checks: Readonly<Record<string, Check>>): Promise<void> {
  console.log(title);
  for (const [name, run] of Object.entries(checks)) {
    const fault = await run();
    console.log(`  ${fault === "" ? "ok    " : "FAILED"} ${name}`);
    if (fault !== "") console.log(fault.replace(/^(?=.)/gm, "    "));
    if (fault !== "") failed += 1;
  }
}

/** What holds for every package. */
function checksOfAny(
  name: string,
  tarball: Tarball,
  needed: readonly string[],
): Record<string, Check> {
  const { path, files, packedBytes, unpackedBytes } = tarball;
  const sizes = `${files.length} files, ${kilobytes(packedBytes)} packed, ${kilobytes(unpackedBytes)} unpacked`;
  return {
    [`files of the tarball: ${sizes}`]: () => Promise.resolve(checkFiles(name, tarball, needed)),
    publint: () => tool("publint", ["run", path, "--strict"]),
  };
}

/** What holds for a package that programs import. */
function checksOf(name: string, tarball: Tarball): Record<string, Check> {
  const { path } = tarball;
  return {
    ...checksOfAny(name, tarball, ["dist/index.js", "dist/index.d.ts"]),
    attw: () => tool("attw", [path, "--profile", "esm-only", "--no-color", "--no-emoji"]),
    "types without a runtime's": () => checkTypes(tarball, "--lib es2023,esnext.disposable,dom"),
    "types with Node's, without the web's": () =>
      checkTypes(
        tarball,
        `--lib es2023,esnext.disposable --types node --typeRoots ${root}/node_modules/@types`,
      ),
    ...Object.fromEntries(
      runtimes.map((runtime): [string, Check] => [
        `runs on ${runtime.name}`,
        () => checkProgram(tarball, runtime.program, [...installedArgs(runtime), "program.mjs"]),
      ]),
    ),
  };
}

/** What holds for the package of a command: it helps, and runs a program, on every runtime, and by its name. */
function checksOfCommand(name: string, tarball: Tarball): Record<string, Check> {
  const main = `node_modules/@arborio/${name}/dist/main.js`;
  const starts = runtimes.map((runtime) => {
    const args = [...installedArgs(runtime), main];
    return { how: `on ${runtime.name}`, program: runtime.program, args };
  });
  const bin = join(tarball.folder, "node_modules/.bin/arborio");
  return {
    ...checksOfAny(name, tarball, ["dist/main.js"]),
    ...Object.fromEntries(
      [...starts, { how: "by its name", program: bin, args: [] }].flatMap(
        ({ how, program, args }): [string, Check][] => [
          [
            `helps ${how}`,
            () => checkProgram(tarball, program, [...args, "--help"], /^Usage: arborio /),
          ],
          [`runs ${how}`, () => checkProgram(tarball, program, [...args, "run", "program.mjs"])],
        ],
      ),
    ),
  };
}

/** Arguments of a runtime that run an installed script. */
function installedArgs({ scriptArgs }: Runtime): string[] {
  return scriptArgs.filter((arg) => !arg.startsWith("--conditions"));
}

function checkFiles(name: string, { files }: Tarball, entries: readonly string[]): string {
  const faults = files.flatMap((file) => {
    const [top = ""] = file.split("/");
    if (!topLevel.includes(top)) return [`${file}: not meant to be published`];
    if (/\.test\./.test(file)) return [`${file}: a test`];
    return [];
  });
  const needed = ["LICENSE", "README.md", "package.json", ...entries];
  faults.push(...needed.filter((file) => !files.includes(file)).map((file) => `${file}: missing`));
  const licence = (path: string): string => readFileSync(join(root, path), "utf8");
  if (licence("LICENSE") !== licence(`packages/${name}/LICENSE`)) {
    faults.push("LICENSE: differs from the repository's");
  }
  return faults.join("\n");
}

/** @param library which of the platform's types there are. */
async function checkTypes({ folder }: Tarball, library: string): Promise<string> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const options =
    "--noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck false " +
    `--module nodenext --target es2023 ${library} --pretty false --ignoreConfig consumer.ts`;
  const { code, output } = await runCommand(process.execPath, [tsc, ...options.split(" ")], {
    cwd: folder,
  });
  return code === 0 ? "" : output;
}

async function checkProgram(
  { folder }: Tarball,
  program: string,
  args: string[],
  expected: RegExp = /^program ok$/,
): Promise<string> {
  const options = { cwd: folder, limitMs: programLimitMs };
  const { code, output, timedOut } = await runCommand(program, args, options);
  if (timedOut) return `Ended after ${programLimitMs / 1000} s. It printed:\n${output}`;
  return code === 0 && expected.test(output.trim()) ? "" : `Exit code ${code}\n${output}`;
}

async function checkBundle({ folder }: Tarball): Promise<string> {
  const file = join(folder, "bundle.mjs");
  const build = await rolldown({ input: join(folder, "browser.mjs"), platform: "browser" });
  await build.write({ file, format: "esm" });
  await build.close();
  const code = readFileSync(file, "utf8");
  const runtimeModules = [...code.matchAll(/["'](?:node:\w+|bun(?::\w+)?)["']/g)].map(
    ([name]) => name,
  );
  if (runtimeModules.length > 0) return `The bundle needs ${runtimeModules.join(", ")}`;
  const options = { cwd: folder, limitMs: programLimitMs };
  const { code: exitCode, output } = await runCommand(process.execPath, [file], options);
  // Node stands in for a browser: the bundle has the backend for browsers in it, wherever it runs.
  const isClear = exitCode !== 0 && /browser|\bweb\b/i.test(output);
  return isClear ? "" : `Exit code ${exitCode}: needed an error that names browsers\n${output}`;
}

async function tool(name: string, args: string[]): Promise<string> {
  const path = join(root, "node_modules/.bin", name);
  const { code, output } = await runCommand(process.execPath, [path, ...args]);
  return code === 0 ? "" : output;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} kB`;
}
