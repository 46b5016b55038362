/** Watches of a real system: what they hold, what gets lost there, and who else may watch. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { failAfter, moveOnAfter, sleep, taskGroup } from "../index.ts";
import { watchDirectory } from "../fs.ts";
import { cancelEverywhere } from "../testing.ts";
import { hostFilesTest } from "./files.test.kit.ts";
import { act, toldUntil } from "./watch.test.kit.ts";

const MACHINE = "it is about this machine";
/** More than fit into the system's queue. */
const FLOOD = 20_000;
const CLOSED_MS_MAX = 10_000;

/** How many directories this process watches, as the system says. */
function watchCount(): number {
  let count = 0;
  for (const descriptor of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${descriptor}`) !== "anon_inode:inotify") continue;
      const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1");
      count += info.split("\n").filter((line) => line.startsWith("inotify ")).length;
    } catch {
      // Closed meanwhile.
    }
  }
  return count;
}

/** Deno gives watches back a little later. */
async function untilWatchCountIs(count: number): Promise<void> {
  await failAfter(CLOSED_MS_MAX, async () => {
    while (watchCount() !== count) await sleep(5);
  });
}

hostFilesTest(
  "watchDirectory: one watch of the system for each directory, none when it is closed",
  async (folder) => {
    const before = watchCount();
    const root = `${folder}/watched`;
    await act.directory(root);
    for (let count = 0; count < 10; count++) await act.directory(`${root}/${count}`);
    await act.directory(`${root}/3/below`);
    const watch = await watchDirectory(root, { recursive: true });
    assert.equal(watchCount(), before + 12);
    await act.directory(`${root}/0/new`);
    await act.removeDirectory(`${root}/9`);
    await act.rename(`${root}/1`, `${root}/2/1`);
    await toldUntil(watch, (changes) => changes.length === 4);
    await untilWatchCountIs(before + 12);
    await act.rename(`${root}/3`, `${folder}/away`);
    await toldUntil(watch, (changes) => changes.length === 2);
    await untilWatchCountIs(before + 10);
    watch.close();
    await untilWatchCountIs(before);
    await act.directory(`${folder}/single`);
    const broken = await watchDirectory(`${folder}/single`);
    await act.removeDirectory(`${folder}/single`);
    await assert.rejects(broken.receive());
    await untilWatchCountIs(before);
  },
  MACHINE,
);

hostFilesTest(
  "watchDirectory: cancelled anywhere, the system watches nothing",
  async (folder) => {
    const before = watchCount();
    for (const name of ["a", "b"]) await act.directory(`${folder}/${name}`);
    const { rounds } = await cancelEverywhere(async () => {
      using watch = await watchDirectory(folder, { recursive: true });
      await moveOnAfter(0, () => watch.receive());
    });
    assert.ok(rounds.waiting >= 5, `${rounds.waiting} rounds`);
    await untilWatchCountIs(before);
  },
  MACHINE,
);

hostFilesTest(
  "watchDirectory: more changes than the system can remember",
  async (folder) => {
    await act.directory(`${folder}/busy`);
    await act.directory(`${folder}/quiet`);
    const paths = [`${folder}/busy/a`, `${folder}/busy/b`] as const;
    for (const path of paths) await act.write(path);
    using busy = await watchDirectory(`${folder}/busy`);
    using quiet = await watchDirectory(`${folder}/quiet`);
    // Nothing else runs meanwhile, so the queue of the system runs over. It keeps equal hints in a row once, so there are two files.
    for (let count = 0; count < FLOOD; count++) chmodSync(paths[count % 2 === 0 ? 0 : 1], 0o600);
    writeFileSync(`${folder}/quiet/lost`, "");
    writeFileSync(`${folder}/busy/lost`, "");
    assert.deepEqual(await toldUntil(quiet, ({ length }) => length > 0), ["created /lost file"]);
    await toldUntil(busy, (changes) => changes.includes("created /lost file"));
  },
  MACHINE,
);

hostFilesTest(
  "watchDirectory: several watch one tree, also one that comes and goes",
  async (folder) => {
    await act.directory(`${folder}/a`);
    using one = await watchDirectory(folder, { recursive: true });
    using other = await watchDirectory(folder, { recursive: true });
    using below = await watchDirectory(`${folder}/a`);
    for (let round = 0; round < 3; round++) {
      await act.write(`${folder}/a/file`, `${round}`.repeat(round));
      const created = (path: string) => (changes: readonly string[]) => changes.includes(path);
      await toldUntil(one, created("created /a/file file"));
      await toldUntil(other, created("created /a/file file"));
      if (round === 0) {
        await toldUntil(below, created("created /file file"));
        below.close();
      }
      await act.remove(`${folder}/a/file`);
      await act.removeDirectory(`${folder}/a`);
      await act.directory(`${folder}/a`);
      await toldUntil(one, created("removed /a/file file"));
      await toldUntil(other, created("removed /a/file file"));
    }
  },
  MACHINE,
);

hostFilesTest(
  "watchDirectory: links that lead out of the directory, and files with a name outside",
  async (folder) => {
    await act.directory(`${folder}/watched`);
    await act.write(`${folder}/target`, "text");
    using watch = await watchDirectory(`${folder}/watched`);
    await act.link(`${folder}/watched/link`, "../target");
    assert.deepEqual(await toldUntil(watch, ({ length }) => length > 0), ["created /link link"]);
    await act.remove(`${folder}/watched/link`);
    assert.deepEqual(await toldUntil(watch, ({ length }) => length > 0), ["removed /link link"]);
    await act.hardLink(`${folder}/watched/name`, `${folder}/target`);
    assert.deepEqual(await toldUntil(watch, ({ length }) => length > 0), ["created /name file"]);
  },
  MACHINE,
);

hostFilesTest(
  "watchDirectory: a file named like the directory, and a directory whose permissions change",
  async (folder) => {
    const path = `${folder}/same`;
    await act.directory(path);
    using watch = await watchDirectory(path);
    for (const text of ["", "1", "22"]) {
      await act.write(`${path}/same`, text);
      await toldUntil(watch, ({ length }) => length > 0);
    }
    await act.mode(path, 0o700);
    await act.write(`${path}/other`);
    assert.deepEqual(await toldUntil(watch, ({ length }) => length > 0), ["created /other file"]);
  },
  MACHINE,
);

hostFilesTest(
  "watchDirectory: a relative path, and tasks that watch at once",
  async (folder) => {
    const back = process.cwd();
    await act.directory(`${folder}/below`);
    process.chdir(folder);
    try {
      using watch = await watchDirectory("below");
      using here = await watchDirectory(".");
      await taskGroup((group) => {
        group.startSoon(async () => {
          assert.equal((await watch.receive()).path, "below/file");
        });
        group.startSoon(async () => {
          assert.equal((await here.receive()).path, "./file");
        });
        writeFileSync("below/file", "");
        writeFileSync("file", "");
      });
    } finally {
      process.chdir(back);
    }
  },
  MACHINE,
);

hostFilesTest(
  "watchDirectory: a watch keeps its run going, and a closed one nothing",
  (folder) => {
    const isCompiled = import.meta.url.endsWith(".js");
    const program = new URL(
      `./watch-program.test.kit.${isCompiled ? "js" : "ts"}`,
      import.meta.url,
    );
    const conditions = isCompiled ? [] : ["--conditions=@arborio/source"];
    const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
    const command = [...start, ...conditions, fileURLToPath(program), folder];
    const output = execFileSync(process.execPath, command, { timeout: 30_000, encoding: "utf8" });
    assert.equal(output, "created\nclosed\n");
  },
  MACHINE,
);
