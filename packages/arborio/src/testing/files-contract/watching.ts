import { equal } from "../conformance/assert.ts";
import { sleep } from "../../sync/timeouts.ts";
import { type Bench, type FilesCheck, refused, writeAll } from "./suite.ts";

/** Time for hints that must not come. */
const QUIET_MS = 50;

/** Time for hints that come twice. */
const LATE_MS = 10;

type Log = (string | null)[];

/** Waits until each of the names was told, or that nobody knows. */
async function told(bench: Bench, log: Log, ...names: readonly string[]): Promise<void> {
  for (const name of names)
    await bench.until(`told of ${name}: ${log.join(", ")}`, () => {
      return log.includes(name) || log.includes(null);
    });
  log.length = 0;
}

/** Hints of what happens in a directory. */
export const watching: readonly FilesCheck[] = [
  {
    title: "Files.watch: tells what is made, written, given other bits, renamed, removed",
    async body(bench) {
      const log: Log = [];
      await bench.watch("", log);
      const target = { access: "write", create: "new" } as const;
      const handle = await bench.openFile("file", target);
      await told(bench, log, "file");
      await writeAll(handle, "text", 0);
      await told(bench, log, "file");
      await bench.change({ kind: "mode", path: "file", mode: 0o600 });
      await told(bench, log, "file");
      await bench.rename("file", "other");
      await told(bench, log, "file", "other");
      await bench.makeDirectory("directory");
      await told(bench, log, "directory");
      await bench.symbolicLink("link", "x");
      await bench.hardLink("name", "other");
      await told(bench, log, "link", "name");
      await bench.removeFile("other");
      await bench.removeDirectory("directory");
      await told(bench, log, "other", "directory");
    },
  },
  {
    title: "Files.watch: what moves in and out, and is replaced, but nothing below",
    async body(bench) {
      await bench.makeDirectory("watched");
      await bench.makeDirectory("watched/below");
      await bench.write("file", "");
      const log: Log = [];
      await bench.watch("watched", log);
      await bench.rename("file", "watched/in");
      await told(bench, log, "in");
      await bench.write("other", "");
      await bench.rename("other", "watched/in");
      await told(bench, log, "in");
      await bench.rename("watched/in", "out");
      await told(bench, log, "in");
      await sleep(QUIET_MS);
      log.length = 0;
      await bench.write("watched/below/deep", "");
      await sleep(QUIET_MS);
      equal(log.includes("deep"), false);
    },
  },
  {
    // Bun swallows such a change by itself.
    title: "Files.watch: a change that follows at once when the one before it was told is told too",
    async body(bench) {
      await bench.makeDirectory("watched");
      const log: Log = [];
      await bench.watch("watched", log);
      for (let round = 0; round < 20; round++) {
        await bench.symbolicLink("one", "x");
        await bench.symbolicLink("two", "x");
        await bench.rename("one", "watched/name");
        await told(bench, log, "name");
        await bench.rename("two", "watched/name");
        await told(bench, log, "name");
        // Whatever is still on its way.
        await sleep(LATE_MS);
        log.length = 0;
      }
    },
  },
  {
    title: "Files.watch: closed, it tells nothing more; others still are",
    async body(bench) {
      const [one, two]: [Log, Log] = [[], []];
      const watch = await bench.watch("", one);
      await bench.watch("", two);
      watch.close();
      watch.close();
      await bench.write("file", "");
      await told(bench, two, "file");
      await sleep(QUIET_MS);
      equal(one.length, 0);
    },
  },
  {
    title: "Files.watch: ends with ENOENT when the directory is removed",
    async body(bench) {
      await bench.makeDirectory("watched");
      const log: Log = [];
      await bench.watch("watched", log);
      await bench.removeDirectory("watched");
      await bench.until("it has ended", () => log.includes("failed ENOENT"));
    },
  },
  {
    title: "Files.watch: ends with ENOENT when the directory is moved",
    async body(bench) {
      await bench.makeDirectory("watched");
      const log: Log = [];
      await bench.watch("watched", log);
      await bench.rename("watched", "moved");
      await bench.until("it has ended", () => log.includes("failed ENOENT"));
    },
  },
  {
    title: "Files.watch: what is not there cannot be watched; withdrawn, it tells nothing",
    async body(bench) {
      await refused(bench.watch("none", []), "ENOENT");
      await bench.write("file", "");
      await refused(bench.watch("file/below", []), "ENOTDIR");
      const { never } = bench;
      const failing = {
        changed: (name: string | null) => never.succeed(name),
        failed: (error: Error) => never.fail(error),
      };
      bench.files.watch(bench.directory, failing, never)();
      await bench.write("other", "");
      await sleep(QUIET_MS);
    },
  },
];
