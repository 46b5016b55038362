import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "arborio";
import { Path, writeFile } from "arborio/fs";
import { simulate, simulator, type SimulatorOptions } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { workerStatistics } from "arborio/threads";
import { checksumLine } from "./checksum-line.ts";
import { hashFiles } from "./hash-files.ts";
import { Progress } from "./progress.ts";

const PROGRAM = "main.ts";
const TEST_MS_MAX = 60_000;
/** A file of this size is never done. */
const ENDLESS_BYTES = 2 ** 40;

interface Outcome {
  readonly digests: Map<string, string>;
  readonly refused: Map<string, string>;
  readonly progress: Progress;
}

/** Hashes what is there. */
async function hashed(paths: readonly string[], threads = 3): Promise<Outcome> {
  const [digests, refused, progress] = [new Map(), new Map(), new Progress()] as const;
  let running = 0;
  await hashFiles(paths, {
    threads,
    progress,
    async emit(path, digest) {
      running += 1;
      assert.ok(running <= threads);
      await new Path("/").stat();
      digests.set(path, digest);
      running -= 1;
    },
    refused: (path, reason) => refused.set(path, reason),
  });
  return { digests, refused, progress } as Outcome;
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

async function makeTree(): Promise<Map<string, string>> {
  const expected = new Map<string, string>();
  for (const folder of ["/tmp/tree", "/tmp/tree/a", "/tmp/tree/a/b", "/tmp/tree/empty"])
    await new Path(folder).makeDirectory();
  for (const path of ["/tmp/tree/1", "/tmp/tree/a/2", "/tmp/tree/a/b/3", "/tmp/tree/z"]) {
    await writeFile(path, path.repeat(1000));
    expected.set(path, sha256(path.repeat(1000)));
  }
  await new Path("/tmp/tree/link").makeLink("a");
  await new Path("/tmp/link").makeLink("tree/z");
  return expected;
}

test("hashFiles: all files of a tree; links only if they are named", async () => {
  await simulate({ seed: 1 }, async () => {
    const expected = await makeTree();
    const { digests, refused, progress } = await hashed(["/tmp/tree", "/tmp/link"]);
    expected.set("/tmp/link", expected.get("/tmp/tree/z") as string);
    assert.deepEqual(digests, expected);
    assert.equal(refused.size, 0);
    assert.match(progress.describe(1000), /^5 files, 61\.0 kB, 61\.0 kB\/s$/);
  });
});

test("hashFiles: what cannot be read is told, and the rest is hashed", async () => {
  await simulate({ seed: 1 }, async () => {
    const expected = await makeTree();
    await new Path("/tmp/tree/a").setMode(0o000);
    await new Path("/tmp/tree/1").setMode(0o000);
    const { digests, refused } = await hashed(["/tmp/missing", "/tmp/tree"]);
    await new Path("/tmp/tree/a").setMode(0o755);
    assert.deepEqual([...digests], [["/tmp/tree/z", expected.get("/tmp/tree/z")]]);
    assert.deepEqual([...refused.keys()].sort(), ["/tmp/missing", "/tmp/tree/1", "/tmp/tree/a"]);
    assert.match(refused.get("/tmp/tree/1") ?? "", /permission denied \(EACCES\)/);
  });
});

test("hashFiles: a thread that crashes takes one file with it", async () => {
  let crashes = 0;
  for (let seed = 0; seed < 20; seed++) {
    const workers: SimulatorOptions["workers"] = { crashRate: 0.3 };
    await simulate({ seed, workers }, async () => {
      const expected = await makeTree();
      const { digests, refused } = await hashed(["/tmp/tree"]);
      assert.deepEqual([...digests.keys(), ...refused.keys()].sort(), [...expected.keys()].sort());
      for (const [path, digest] of digests) assert.equal(digest, expected.get(path));
      crashes += refused.size;
    });
  }
  assert.ok(crashes > 0 && crashes < 80, `${crashes} crashes`);
});

test("hashFiles: cancelled anywhere, no thread works on", async () => {
  await run(
    async () => {
      await makeTree();
      const { rounds } = await cancelEverywhere(async (round) => {
        round.after(() => assert.equal(workerStatistics("thread").busy, 0));
        await hashed(["/tmp/tree"], 2);
      });
      assert.ok(rounds.waiting > 10);
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});

test("Progress: counts, in units that people read", () => {
  const progress = new Progress();
  assert.equal(progress.describe(0), "0 files, 0 B, 0 B/s");
  progress.hashed(999);
  progress.fileDone();
  assert.equal(progress.describe(1000), "1 file, 999 B, 999 B/s");
  progress.hashed(3_000_000_000_000);
  assert.equal(progress.describe(2000), "1 file, 3.0 TB, 1.5 TB/s");
});

test("checksumLine: escapes what would end the line", () => {
  assert.equal(checksumLine("a b", "12"), "12  a b\n");
  assert.equal(checksumLine("a\\b\nc\r", "12"), "\\12  a\\\\b\\nc\\r\n");
});

test(
  "hashing: real files, and sha256sum agrees; large ones show progress",
  { timeout: TEST_MS_MAX },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "arborio-hashing-"));
    after(() => rmSync(folder, { recursive: true }));
    const names = ["plain", "a b", "-dash", "ä €", "new\nline", "back\\slash", " *x"];
    for (const name of names) {
      mkdirSync(join(folder, `d${name}`));
      writeFileSync(join(folder, `d${name}`, name), name.repeat(50_000));
    }
    writeFileSync(join(folder, "empty"), "");
    truncateSync(writeNew(join(folder, "large")), 40_000_000);
    symlinkSync("large", join(folder, "link"));
    execFileSync("mkfifo", [join(folder, "fifo")]);
    const good = startMain(["--progress", "--threads", "2", folder]);
    assert.deepEqual(await ended(good.child), [0, null], good.err.text);
    assert.equal(checked(good.out.text), names.length + 2);
    assert.match(good.err.text, /K9 files, 42\.\d MB, .*\/s\n$/);

    const bad = startMain([join(folder, "fifo"), join(folder, "missing"), join(folder, "empty")]);
    assert.deepEqual(await ended(bad.child), [1, null]);
    assert.equal(checked(bad.out.text), 1);
    assert.match(bad.err.text, /fifo: it is no file\n/);
    assert.match(bad.err.text, /missing: .*ENOENT/);
  },
);

test(
  "hashing: Ctrl-C ends it in the midst of a file, and nothing wrong was written",
  { timeout: TEST_MS_MAX },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "arborio-hashing-"));
    after(() => rmSync(folder, { recursive: true }));
    for (const name of ["a", "b"]) truncateSync(writeNew(join(folder, name)), ENDLESS_BYTES);
    writeFileSync(join(folder, "small"), "small");
    const { child, out, err } = startMain([
      "--progress",
      join(folder, "small"),
      join(folder, "a"),
      join(folder, "b"),
    ]);
    child.stderr?.on("data", () => {
      // It is in the midst of the large ones, and has told of them.
      if (/ [MG]B, /.test(err.text) && out.text !== "") child.kill("SIGINT");
    });
    const [code, signal] = await ended(child);
    assert.equal(code ?? signal, signal === null ? 130 : "SIGINT");
    assert.equal(checked(out.text), 1);
  },
);

test("hashing: ends when nobody reads any more", { timeout: TEST_MS_MAX }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "arborio-hashing-"));
  after(() => rmSync(folder, { recursive: true }));
  for (let count = 0; count < 20; count++) writeFileSync(join(folder, `${count}`), "");
  truncateSync(writeNew(join(folder, "endless")), ENDLESS_BYTES);
  const { child, err } = startMain(["--threads", "2", folder]);
  child.stdout?.destroy();
  assert.deepEqual(await ended(child), [0, null]);
  assert.equal(err.text, "");
});

test("hashing: says how it is called", { timeout: TEST_MS_MAX }, async () => {
  for (const args of [[], ["--threads", "0", "x"]]) {
    const { child, err } = startMain(args);
    assert.deepEqual(await ended(child), [2, null]);
    assert.match(err.text, /^Usage: /);
  }
});

/** How many lines there are, all of which the real program takes for true. */
function checked(lines: string): number {
  execFileSync("sha256sum", ["--check", "--strict", "--quiet"], { input: lines });
  return lines.split("\n").length - 1;
}

/** Makes an empty file. */
function writeNew(path: string): string {
  writeFileSync(path, "");
  return path;
}

interface Program {
  readonly child: ChildProcess;
  readonly out: { text: string };
  readonly err: { text: string };
}

function startMain(args: readonly string[]): Program {
  const isCompiled = import.meta.url.endsWith(".js");
  const main = fileURLToPath(new URL(isCompiled ? "main.js" : PROGRAM, import.meta.url));
  const conditions = isCompiled ? [] : ["--conditions=@arborio/source"];
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const child = spawn(process.execPath, [...start, ...conditions, main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = [{ text: "" }, { text: "" }];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out.text += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err.text += text));
  after(() => child.kill("SIGKILL"));
  return { child, out, err };
}

function ended(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve([code, signal]));
  });
}
