import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createChannel, sleep, taskGroup } from "arborio";
import { appendFile, openFile, Path, writeFile } from "arborio/fs";
import { randomBytes } from "arborio/lowlevel";
import { simulate } from "arborio/sim";
import { type Chunk, followFiles } from "./follow-files.ts";
import { startOfLastLines } from "./last-lines.ts";

const PROGRAM = "main.ts";
const TEST_MS_MAX = 60_000;
/** After so many milliseconds whatever happened to a file has been looked at. */
const LOOKED_MS = 2500;
/** After so many milliseconds a new file has been looked at, also if it is written to all the time. */
const SEEN_MS = 300;
const decoder = new TextDecoder();

interface StoryOptions {
  readonly lastLines?: number;
  /** Milliseconds to take each chunk. */
  readonly takeMs?: number;
  readonly seed?: number;
}

/** What is told of files while `happens` runs, and a while longer: notes, and text in brackets. */
async function story(
  paths: readonly string[],
  before: () => Promise<unknown>,
  happens: () => Promise<unknown>,
  { lastLines = 10, takeMs = 0, seed = 1 }: StoryOptions = {},
): Promise<string[]> {
  const told: string[] = [];
  await simulate({ seed }, async () => {
    await before();
    await taskGroup(async (group) => {
      const [sender, receiver] = createChannel<Chunk>(1);
      const note = (path: string, text: string): void => void told.push(`${path} ${text}`);
      group.startSoon(() => followFiles(paths, { lastLines, sender, note }), { daemon: true });
      group.startSoon(
        async () => {
          for await (const { path, bytes } of receiver) {
            await sleep(takeMs);
            const text = decoder.decode(bytes);
            // How much is read at once does not matter.
            const isMore = told.at(-1)?.startsWith(`${path} [`) ?? false;
            const before = isMore ? (told.pop()?.slice(0, -1) ?? "") : `${path} [`;
            told.push(`${before}${text}]`);
          }
        },
        { daemon: true },
      );
      await sleep(LOOKED_MS);
      await happens();
      await sleep(LOOKED_MS);
    });
  });
  return told;
}

test("startOfLastLines: as many lines as there are, wherever chunks end", async () => {
  await simulate({ seed: 1 }, async () => {
    const lengths = [0, 1, 5, 65_530, 65_534, 65_535, 65_536, 3, 131_072, 0, 7];
    for (const isWhole of [true, false]) {
      let text = lengths.map((length) => "x".repeat(length)).join("\n");
      if (isWhole) text += "\n";
      await writeFile("/tmp/file", text);
      using file = await openFile("/tmp/file");
      for (let count = 0; count <= lengths.length + 1; count++) {
        const start = await startOfLastLines(file, text.length, count);
        const last = lengths.slice(Math.max(0, lengths.length - count));
        const expected = last.reduce((sum, length) => sum + length + 1, isWhole ? 0 : -1);
        assert.equal(text.length - start, Math.max(0, expected), `${count} lines`);
      }
    }
    await writeFile("/tmp/empty", "");
    using empty = await openFile("/tmp/empty");
    assert.equal(await startOfLastLines(empty, 0, 5), 0);
  });
});

test("followFiles: the last lines, in the order of the files, then what is written", async () => {
  const told = await story(
    ["/tmp/a", "/tmp/b", "/tmp/a"],
    async () => {
      await writeFile("/tmp/a", "1\n2\n3\n");
      await writeFile("/tmp/b", "4\n");
    },
    async () => {
      await appendFile("/tmp/b", "5\nhalf");
      await sleep(LOOKED_MS);
      await appendFile("/tmp/a", "6\n");
      await sleep(LOOKED_MS);
      await appendFile("/tmp/b", " done\n");
    },
    { lastLines: 2 },
  );
  assert.deepEqual(told, [
    "/tmp/a [2\n3\n]",
    "/tmp/b [4\n5\n]",
    "/tmp/a [6\n]",
    "/tmp/b [half done\n]",
  ]);
});

test("followFiles: a file, and its directory, that come later, go, and come again", async () => {
  const folder = new Path("/tmp/later");
  const told = await story(
    ["/tmp/later/a"],
    () => Promise.resolve(),
    async () => {
      await folder.makeDirectory();
      await writeFile("/tmp/later/a", "1\n2\n");
      await sleep(LOOKED_MS);
      await folder.removeTree();
      await sleep(LOOKED_MS);
      await folder.makeDirectory();
      await writeFile("/tmp/later/a", "3\n");
    },
    { lastLines: 1 },
  );
  assert.deepEqual(told, [
    "/tmp/later/a is not there",
    "/tmp/later/a has come",
    "/tmp/later/a [1\n2\n]",
    "/tmp/later/a is not there",
    "/tmp/later/a has come",
    "/tmp/later/a [3\n]",
  ]);
});

test("followFiles: cut off, replaced while it is written to, moved away and back", async () => {
  const file = new Path("/tmp/a");
  const told = await story(
    ["/tmp/a"],
    () => writeFile("/tmp/a", "1\n2\n3\n"),
    async () => {
      await appendFile("/tmp/a", "no end");
      await sleep(LOOKED_MS);
      await writeFile("/tmp/a", "4\n");
      await sleep(LOOKED_MS);
      using old = await openFile("/tmp/a", { flags: "a" });
      await file.rename("/tmp/a.1");
      await writeFile("/tmp/a", "6\n");
      await old.write(new TextEncoder().encode("5\nlast words"));
      await sleep(LOOKED_MS);
      await file.rename("/tmp/away");
      await appendFile("/tmp/away", "7\n");
      await sleep(LOOKED_MS);
      await new Path("/tmp/away").rename("/tmp/a");
      await appendFile("/tmp/a", "8\n");
    },
    { lastLines: 0 },
  );
  assert.deepEqual(told, [
    "/tmp/a was cut off",
    "/tmp/a [no end\n4\n5\nlast words\n]",
    "/tmp/a is another file now",
    "/tmp/a [6\n7\n]",
    "/tmp/a is not there",
    "/tmp/a [8\n]",
    "/tmp/a is there again",
  ]);
});

test("followFiles: what a link leads to, though nobody watches there; a directory is none", async () => {
  const told = await story(
    ["/tmp/link", "/tmp/folder"],
    async () => {
      await new Path("/tmp/elsewhere").makeDirectory();
      await new Path("/tmp/folder").makeDirectory();
      await writeFile("/tmp/elsewhere/a", "1\n");
      await new Path("/tmp/link").makeLink("elsewhere/a");
    },
    () => appendFile("/tmp/elsewhere/a", "2\n"),
  );
  assert.deepEqual(told, [
    "/tmp/link [1\n]",
    "/tmp/folder open /tmp/folder: it is a directory (EISDIR)",
    "/tmp/link [2\n]",
  ]);
});

test("followFiles: a line without end comes in pieces", async () => {
  const told = await story(
    ["/tmp/a"],
    () => writeFile("/tmp/a", ""),
    () => appendFile("/tmp/a", "x".repeat(3_000_000)),
  );
  const lines = told.join("").slice("/tmp/a [".length, -1).split("\n");
  assert.ok(lines.length >= 3 && lines.length <= 4, `${lines.length} lines`);
  assert.ok(lines.every((line) => /^x*$/.test(line)));
});

test("followFiles: each line once and in order, of files that are written to and replaced at any time", async () => {
  const files = ["/tmp/a", "/tmp/b", "/tmp/c"];
  const lines = 60;
  for (let seed = 0; seed < 20; seed++) {
    const told = await story(
      files,
      () => Promise.resolve(),
      () =>
        taskGroup((group) => {
          for (const path of files) group.startSoon(() => writeAndReplace(path, lines));
        }),
      { seed, takeMs: seed % 3 },
    );
    for (const path of files) {
      const text = told
        .filter((one) => one.startsWith(`${path} [`))
        .map((one) => one.slice(path.length + 2, -1));
      const expected = Array.from({ length: lines }, (_, line) => `line ${line}\n`).join("");
      assert.equal(text.join(""), expected, `seed ${seed}: ${path}`);
    }
  }
});

/** Writes lines, in parts, and renames the file now and then, in the midst of writing to it. */
async function writeAndReplace(path: string, lines: number): Promise<void> {
  const encoder = new TextEncoder();
  let old = 0;
  let line = 0;
  while (line < lines) {
    using file = await openFile(path, { flags: "a" });
    const isRenamedAt = line + 10 + pick(10);
    for (; line < lines && line < isRenamedAt; line++) {
      await file.write(encoder.encode(`line ${line}`));
      if (line === isRenamedAt - 3) {
        // What was there only between two looks was never there.
        await sleep(SEEN_MS);
        await new Path(path).rename(`${path}.${++old}`);
      }
      await sleep(pick(30));
      await file.write(encoder.encode("\n"));
    }
    await sleep(LOOKED_MS);
  }
}

function pick(count: number): number {
  return (randomBytes(1)[0] ?? 0) % count;
}

test(
  "tail: thousands of lines of real files, replaced meanwhile; Ctrl-C ends it quietly",
  { timeout: TEST_MS_MAX },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "arborio-tail-"));
    after(() => rmSync(folder, { recursive: true }));
    const files = ["a", "b"].map((name) => join(folder, name));
    for (const path of files) writeFileSync(path, "not shown\nbegin\n");
    const { child, out, err } = startMain(["-n", "1", ...files], "pipe");
    await until(() => files.every((path) => linesOf(out.text, path).includes("begin")));
    for (let line = 0; line < 5000; line++) {
      for (const path of files) {
        if (line === 2500) renameSync(path, `${path}.1`);
        appendFileSync(path, `${line}\n`);
      }
      if (line % 250 === 0) await wait(20);
    }
    await until(() => files.every((path) => linesOf(out.text, path).includes("4999")));
    const numbers = Array.from({ length: 5000 }, (_, line) => String(line));
    for (const path of files) assert.deepEqual(linesOf(out.text, path), ["begin", ...numbers]);
    child.kill("SIGINT");
    const [code, signal] = await ended(child);
    assert.equal(code ?? signal, signal === null ? 130 : "SIGINT");
    assert.deepEqual(
      err.text.split("\n").filter((one) => !one.endsWith("is another file now")),
      [""],
    );
  },
);

test("tail: ends when nobody reads any more", { timeout: TEST_MS_MAX }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "arborio-tail-"));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "file");
  writeFileSync(path, "begin\n");
  const { child, out, err } = startMain([path], "pipe");
  await until(() => out.text === "begin\n");
  child.stdout?.destroy();
  const writing = setInterval(() => appendFileSync(path, "more\n"), 50);
  const [code] = await ended(child);
  clearInterval(writing);
  assert.equal(code, 0);
  assert.equal(err.text, "");
});

test("tail: says how it is called", { timeout: TEST_MS_MAX }, async () => {
  for (const args of [[], ["-n", "x", "file"]]) {
    const { child, err } = startMain(args, "pipe");
    const [code] = await ended(child);
    assert.equal(code, 2);
    assert.match(err.text, /^Usage: /);
  }
});

/** The lines below the headers of a file. */
function linesOf(output: string, path: string): string[] {
  const lines: string[] = [];
  let current = "";
  for (const line of output.split("\n")) {
    const header = /^==> (.*) <==$/.exec(line);
    if (header !== null) current = header[1] as string;
    else if (current === path && line !== "") lines.push(line);
  }
  return lines;
}

interface Program {
  readonly child: ChildProcess;
  readonly out: { text: string };
  readonly err: { text: string };
}

function startMain(args: readonly string[], stdout: "pipe"): Program {
  const isCompiled = import.meta.url.endsWith(".js");
  const main = fileURLToPath(new URL(isCompiled ? "main.js" : PROGRAM, import.meta.url));
  const conditions = isCompiled ? [] : ["--conditions=@arborio/source"];
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const child = spawn(process.execPath, [...start, ...conditions, main, ...args], {
    stdio: ["ignore", stdout, "pipe"],
  });
  const [out, err] = [{ text: "" }, { text: "" }];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out.text += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (err.text += text));
  after(() => child.kill("SIGKILL"));
  return { child, out, err };
}

function ended(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve([code, signal]));
  });
}

/** Waits until it is so; the timeout of the test ends it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await wait(10);
}
