/** What a watch tells, on the host and in the simulator. */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { BrokenResourceError, ClosedResourceError, failAfter, type SystemError } from "../index.ts";
import { watchDirectory, type WatchDirectoryOptions } from "../fs.ts";
import { filesTest, hasSystemCode, nobodysFilesTest } from "./files.test.kit.ts";
import { act, toldUntil, toldUntilNow } from "./watch.test.kit.ts";

filesTest(
  "watchDirectory: files are created, changed, renamed, replaced and removed",
  async (folder) => {
    await act.write(`${folder}/old`, "old");
    using watch = await watchDirectory(folder);
    assert.equal(watch.path, folder);
    await act.write(`${folder}/new`, "1");
    assert.deepEqual(await toldUntilNow(watch), ["created /new file"]);
    await act.append(`${folder}/new`);
    assert.deepEqual(await toldUntilNow(watch), ["changed /new file"]);
    await act.mode(`${folder}/new`, 0o600);
    assert.deepEqual(await toldUntilNow(watch), ["changed /new file"]);
    await act.rename(`${folder}/new`, `${folder}/a ä\n`);
    const renamed = ["created /a ä\n file", "removed /new file"];
    assert.deepEqual((await toldUntilNow(watch)).sort(), renamed);
    await act.write(`${folder}/next`, "next");
    await act.rename(`${folder}/next`, `${folder}/old`);
    assert.deepEqual(await toldUntilNow(watch), ["changed /old file"]);
    await act.remove(`${folder}/old`);
    assert.deepEqual(await toldUntilNow(watch), ["removed /old file"]);
  },
);

filesTest(
  "watchDirectory: directories and links are told by themselves, not what is in them",
  async (folder) => {
    await act.directory(`${folder}/sub`);
    using watch = await watchDirectory(folder);
    await act.write(`${folder}/sub/file`);
    await act.link(`${folder}/dead`, "nowhere");
    await act.directory(`${folder}/new`);
    await act.write(`${folder}/new/file`);
    const changes = await toldUntilNow(watch);
    assert.deepEqual(changes.sort(), ["created /dead link", "created /new directory"]);
  },
);

filesTest("watchDirectory: what came and went in between is not told", async (folder) => {
  await act.write(`${folder}/there`);
  using watch = await watchDirectory(folder);
  await act.write(`${folder}/brief`);
  await act.remove(`${folder}/brief`);
  for (let count = 0; count < 20; count++) await act.append(`${folder}/there`);
  assert.deepEqual(await toldUntilNow(watch), ["changed /there file"]);
});

filesTest(
  "watchDirectory: recursive: all below, a directory before what is in it",
  async (folder) => {
    await act.directory(`${folder}/a`);
    await act.write(`${folder}/a/old`);
    using watch = await watchDirectory(folder, { recursive: true });
    await act.append(`${folder}/a/old`);
    await act.directory(`${folder}/a/b`);
    await act.directory(`${folder}/a/b/c`);
    await act.write(`${folder}/a/b/c/file`);
    const made = await toldUntil(watch, (changes) => changes.length === 4);
    assert.deepEqual(
      made.filter((one) => one.startsWith("created")),
      ["created /a/b directory", "created /a/b/c directory", "created /a/b/c/file file"],
    );
    await act.append(`${folder}/a/b/c/file`);
    assert.deepEqual(await toldUntilNow(watch, `${folder}/a/b/c`), ["changed /a/b/c/file file"]);
  },
);

filesTest(
  "watchDirectory: recursive: a tree that is moved goes and comes, and is watched where it is",
  async (folder) => {
    await act.directory(`${folder}/a`);
    await act.directory(`${folder}/a/b`);
    await act.write(`${folder}/a/b/file`);
    using watch = await watchDirectory(folder, { recursive: true });
    await act.rename(`${folder}/a`, `${folder}/z`);
    const moved = await toldUntil(watch, (changes) => changes.length === 6);
    const removed = ["removed /a/b/file file", "removed /a/b directory", "removed /a directory"];
    const created = ["created /z directory", "created /z/b directory", "created /z/b/file file"];
    assert.deepEqual(
      moved.filter((one) => one.startsWith("removed")),
      removed,
    );
    assert.deepEqual(
      moved.filter((one) => one.startsWith("created")),
      created,
    );
    await act.append(`${folder}/z/b/file`);
    assert.deepEqual(await toldUntilNow(watch, `${folder}/z/b`), ["changed /z/b/file file"]);
  },
);

filesTest(
  "watchDirectory: recursive: another directory at the same path is watched like the first",
  async (folder) => {
    await act.directory(`${folder}/a`);
    await act.write(`${folder}/a/file`);
    using watch = await watchDirectory(folder, { recursive: true });
    for (let round = 0; round < 3; round++) {
      await act.remove(`${folder}/a/file`);
      await act.removeDirectory(`${folder}/a`);
      await act.directory(`${folder}/a`);
      await toldUntil(watch, (changes) => changes.includes("removed /a/file file"));
      await act.write(`${folder}/a/file`, `${round}`);
      await toldUntil(watch, (changes) => changes.includes("created /a/file file"));
    }
  },
);

filesTest(
  "watchDirectory: recursive: another tree at the same path is watched in all its parts",
  async (folder) => {
    for (const tree of ["watched", "watched/a", "watched/a/b", "next", "next/b"])
      await act.directory(`${folder}/${tree}`);
    using watch = await watchDirectory(`${folder}/watched`, { recursive: true });
    await act.rename(`${folder}/watched/a`, `${folder}/moved`);
    await act.rename(`${folder}/next`, `${folder}/watched/a`);
    await toldUntil(watch, (changes) => changes.includes("changed /a directory"));
    await act.write(`${folder}/watched/a/b/file`);
    await toldUntil(watch, (changes) => changes.includes("created /a/b/file file"));
    await act.write(`${folder}/moved/b/other`);
    assert.deepEqual(await toldUntilNow(watch), []);
  },
);

filesTest(
  "watchDirectory: a directory above it is moved: it ends as soon as something happens in it",
  async (folder) => {
    for (const isReplaced of [false, true]) {
      await act.directory(`${folder}/above`);
      await act.directory(`${folder}/above/watched`);
      using watch = await watchDirectory(`${folder}/above/watched`);
      await act.rename(`${folder}/above`, `${folder}/moved ${isReplaced}`);
      if (isReplaced) {
        await act.directory(`${folder}/above`);
        await act.directory(`${folder}/above/watched`);
      }
      await act.write(`${folder}/moved ${isReplaced}/watched/file`);
      await failAfter(20_000, () => assert.rejects(watch.receive(), BrokenResourceError));
    }
  },
);

filesTest(
  "watchDirectory: links to directories are not followed, but the one that was given is",
  async (folder) => {
    await act.directory(`${folder}/outside`);
    await act.directory(`${folder}/inside`);
    await act.link(`${folder}/inside/link`, "../outside");
    await act.link(`${folder}/way`, "inside");
    using watch = await watchDirectory(`${folder}/way/`, { recursive: true });
    await act.write(`${folder}/outside/file`);
    await act.write(`${folder}/inside/file`);
    const [only, ...others] = await watch.receiveAll();
    assert.deepEqual(only, { kind: "created", path: `${folder}/way/file`, fileKind: "file" });
    assert.deepEqual(others, []);
  },
);

filesTest("watchDirectory({ tellExisting }): what is there comes first", async (folder) => {
  await act.directory(`${folder}/a`);
  await act.write(`${folder}/a/file`);
  await act.write(`${folder}/b`);
  using watch = await watchDirectory(pathToFileURL(folder), {
    recursive: true,
    tellExisting: true,
  });
  const there = ["created /a directory", "created /b file", "created /a/file file"];
  assert.deepEqual(await toldUntil(watch, (changes) => changes.length === 3), there);
  await act.remove(`${folder}/b`);
  assert.deepEqual(await toldUntilNow(watch), ["removed /b file"]);
});

filesTest(
  "watchDirectory({ ignore }): is asked about paths as they are told, and nothing of them is told",
  async (folder) => {
    await act.directory(`${folder}/.git`);
    const asked = new Set<string>();
    using watch = await watchDirectory(folder, {
      recursive: true,
      ignore(path) {
        asked.add(path);
        return /\/\.git$|~$/.test(path);
      },
    });
    await act.write(`${folder}/.git/index`);
    await act.write(`${folder}/text~`);
    await act.write(`${folder}/text`);
    assert.deepEqual(await toldUntilNow(watch), ["created /text file"]);
    assert.ok(asked.has(`${folder}/.git`) && asked.has(`${folder}/text~`));
    assert.ok(!asked.has(`${folder}/.git/index`));
  },
);

filesTest(
  "watchDirectory: the directory is removed, or moved away, or replaced",
  async (folder) => {
    const path = `${folder}/watched`;
    const makeAway: Record<string, () => Promise<void>> = {
      remove: () => act.removeDirectory(path),
      move: () => act.rename(path, `${folder}/moved`),
      async replace() {
        await act.rename(path, `${folder}/old`);
        await act.directory(path);
      },
    };
    for (const [how, away] of Object.entries(makeAway)) {
      await act.directory(path);
      using watch = await watchDirectory(path);
      await away();
      await failAfter(20_000, () =>
        assert.rejects(watch.receive(), (error) => {
          assert.ok(error instanceof BrokenResourceError, how);
          assert.match(error.message, /watched/);
          assert.ok(hasSystemCode("ENOENT")(error.cause), how);
          return true;
        }),
      );
      await assert.rejects(watch.receive(), BrokenResourceError);
      watch.close();
      await assert.rejects(watch.receive(), ClosedResourceError);
    }
  },
);

filesTest("watchDirectory: what cannot be watched", async (folder) => {
  await act.write(`${folder}/file`);
  await assert.rejects(watchDirectory(`${folder}/missing`), hasSystemCode("ENOENT", /missing/));
  await assert.rejects(watchDirectory(`${folder}/file`), hasSystemCode("ENOTDIR", /file/));
  await assert.rejects(watchDirectory("a\0b"), RangeError);
  await assert.rejects(watchDirectory(7 as never), TypeError);
  const wrong: readonly [unknown, RegExp][] = [
    [{ recursiv: true }, /recursiv.*no such option/],
    [{ recursive: 1 }, /recursive.*true or false/],
    [{ settleMs: -1 }, /settleMs.*-1.*milliseconds/],
    [{ settleMs: Infinity }, /settleMs.*Infinity/],
    [{ settleMs: "1" }, /settleMs.*"1"/],
    [{ tellExisting: "yes" }, /tellExisting/],
    [{ ignore: /x/ }, /ignore.*function/],
    [{ onError: true }, /onError.*function/],
    [null, /null/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(watchDirectory(folder, options as WatchDirectoryOptions), (error) => {
      assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

nobodysFilesTest(
  "watchDirectory: a directory that may not be read is refused, left out, or watched when it may be",
  async (folder) => {
    await act.directory(`${folder}/secret`, 0o000);
    const eacces = hasSystemCode("EACCES", /secret/);
    await assert.rejects(watchDirectory(folder, { recursive: true }), eacces);
    const errors: SystemError[] = [];
    using watch = await watchDirectory(folder, {
      recursive: true,
      onError(error, path) {
        assert.equal(path, `${folder}/secret`);
        errors.push(error);
      },
    });
    using strict = await watchDirectory(folder, {
      recursive: true,
      ignore: (path) => path.endsWith("/secret"),
    });
    assert.ok(errors.length === 1 && eacces(errors[0]));
    await act.mode(`${folder}/secret`, 0o755);
    await act.write(`${folder}/secret/file`);
    const opened = await toldUntil(watch, (changes) => changes.length === 2);
    assert.deepEqual(opened, ["changed /secret directory", "created /secret/file file"]);
    await act.directory(`${folder}/later`, 0o000);
    await assert.rejects(
      async () => {
        for await (const { path } of strict) assert.equal(path, `${folder}/later`);
      },
      (error) =>
        error instanceof BrokenResourceError && hasSystemCode("EACCES", /later/)(error.cause),
    );
    await act.mode(`${folder}/later`, 0o755);
  },
);
