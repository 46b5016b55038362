/** What this machine has: runtimes, Python, and the packages of the peers, with versions or the reason for a skip. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Command, RuntimeName, Subject, Suite } from "./suite.ts";

const run = promisify(execFile);
const CONDITION = "--conditions=@arborio/source";

/** The system's Python: its packages come from the distribution, see the README. */
const PYTHON = "/usr/bin/python3";
const PYTHON_PACKAGES = ["aiohttp", "anyio", "trio", "uvloop"];

/** How to start a script, before the script's own path. */
export interface Host extends Command {
  readonly version: string;
}

/** Something that is not here, and why. */
export interface Missing {
  readonly missing: string;
}

/** The command line of a runtime, with our sources' condition and a collector that can be called. */
async function findRuntime(name: RuntimeName): Promise<Host | Missing> {
  if (name === "node") {
    return {
      command: process.execPath,
      args: [CONDITION, "--expose-gc"],
      version: process.versions.node,
    };
  }
  const command = fileURLToPath(
    new URL(`../../runtimes/node_modules/.bin/${name}`, import.meta.url),
  );
  const args =
    name === "bun"
      ? [CONDITION]
      : [
          "run",
          "--quiet",
          "--allow-all",
          "--no-check",
          "--no-lock",
          CONDITION,
          "--v8-flags=--expose-gc",
        ];
  try {
    const { stdout } = await run(command, ["--version"]);
    return { command, args, version: /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? stdout.trim() };
  } catch (error) {
    return {
      missing: `${name} does not start (${(error as Error).message.trim()}): npm ci --prefix runtimes`,
    };
  }
}

/** All that a run can use here. */
export interface Machine {
  readonly runtimes: ReadonlyMap<RuntimeName, Host | Missing>;
  /** Version of each Python package found, and of "python" itself. */
  readonly python: ReadonlyMap<string, string>;
  /** Version of each npm package asked for, undefined if it is not installed. */
  readonly packages: ReadonlyMap<string, string | undefined>;
  /** Why nothing of the suite can be measured, or undefined. */
  readonly suiteMissing: string | undefined;
}

/** Looks once for everything, so that what is missing is said once and not at each process. */
export async function surveyMachine(
  runtimes: readonly RuntimeName[],
  suite: Pick<Suite, "peers" | "whyMissing">,
): Promise<Machine> {
  return {
    runtimes: new Map(
      await Promise.all(runtimes.map(async (name) => [name, await findRuntime(name)] as const)),
    ),
    python: await findPython(),
    packages: new Map(
      await Promise.all(
        suite.peers.map(async (name) => [name, await packageVersion(name)] as const),
      ),
    ),
    suiteMissing: await suite.whyMissing?.(),
  };
}

/** Python and its packages: package name to version, "python" included. Empty if there is no Python. */
async function findPython(): Promise<Machine["python"]> {
  const program = [
    "import json, sys, importlib.metadata as m",
    "found = {'python': sys.version.split()[0]}",
    `for name in ${JSON.stringify(PYTHON_PACKAGES)}:`,
    "    try: found[name] = m.version(name)",
    "    except m.PackageNotFoundError: pass",
    "print(json.dumps(found))",
  ];
  try {
    const { stdout } = await run(PYTHON, ["-c", program.join("\n")]);
    return new Map(Object.entries(JSON.parse(stdout) as Record<string, string>));
  } catch {
    return new Map();
  }
}

/** The command line of a Python subject. */
export const pythonHost: Command = {
  command: PYTHON,
  args: ["-B", "-W", "ignore"],
};

/** The version of an npm package installed beside the benchmarks, or undefined. */
async function packageVersion(name: string): Promise<string | undefined> {
  try {
    const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return (JSON.parse(await readFile(manifest, "utf8")) as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** Why a subject cannot be measured here, or undefined if it can. A native one can wherever its suite can. */
export function whyMissing(subject: Subject, machine: Machine): string | undefined {
  return subject.kind === "python"
    ? whyPythonMissing(subject, machine.python)
    : whyPackagesMissing(subject.needs, machine);
}

/** Why npm packages cannot be used, or undefined if all are there. */
export function whyPackagesMissing(names: readonly string[], machine: Machine): string | undefined {
  const absent = names.filter((name) => machine.packages.get(name) === undefined);
  return absent.length === 0
    ? undefined
    : `${absent.join(", ")} not installed: npm ci --prefix benchmarks`;
}

function whyPythonMissing(subject: Subject, python: Machine["python"]): string | undefined {
  const version = python.get("python");
  if (version === undefined) return `no ${PYTHON}`;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 3 || (major === 3 && minor < 11))
    return `Python ${version}, 3.11 is needed for task groups`;
  const absent = subject.needs.filter((name) => !python.has(name));
  if (absent.length === 0) return undefined;
  return `not installed for ${PYTHON}: apt-get install ${absent.map((name) => `python3-${name}`).join(" ")}`;
}
