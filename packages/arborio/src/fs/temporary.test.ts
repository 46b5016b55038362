/** Temporary files and directories, on every backend. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { test as nodeTest } from "node:test";
import { openTemporaryDirectory, openTemporaryFile, Path } from "../fs.ts";
import {
  CancelScope,
  failAfter,
  moveOnAfter,
  run,
  sleep,
  sleepForever,
  SystemError,
  taskGroup,
} from "../index.ts";
import { simulate } from "../sim.ts";
import { filesTest as test, hasSystemCode, nobodysFilesTest } from "./files.test.kit.ts";
import { plant, walked } from "./tree.test.kit.ts";

/** In the environment of this file as a program: where to make what is temporary. */
const PARENT = "ARBORIO_TEMPORARY_PARENT";

const left = async (folder: string): Promise<string[]> => await walked(new Path(folder));

if (process.env[PARENT] === undefined) defineTests();
else await program(process.env[PARENT]);

function defineTests(): void {
  test("openTemporaryDirectory: a private directory, removed with all that is in it", async (parent) => {
    let path: Path;
    {
      await using directory = await openTemporaryDirectory({ parent, prefix: "my app " });
      path = directory.path;
      assert.match(path.name, /^my app [0-9a-f]{20}$/);
      assert.equal(path.parent.text, parent);
      const { kind, mode } = await path.stat();
      assert.deepEqual([kind, mode & 0o777], ["directory", 0o700]);
      await plant(path, "a/b/c", "d", "out -> ..");
    }
    assert.equal(await path.exists(), false);
    assert.deepEqual(await left(parent), []);
  });

  test("openTemporaryFile: a private file that is new, closed and removed", async (parent) => {
    let path: Path;
    let file;
    {
      await using temporary = await openTemporaryFile({ parent, prefix: "", suffix: ".json" });
      ({ path, file } = temporary);
      assert.match(path.name, /^[0-9a-f]{20}\.json$/);
      assert.equal((await path.stat()).mode & 0o777, 0o600);
      await file.write("{}");
      assert.equal(new TextDecoder().decode(await file.readRange(0, 9)), "{}");
      assert.equal(await path.readText(), "{}");
    }
    await assert.rejects(file.read(), /is closed/);
    assert.deepEqual(await left(parent), []);
  });

  test("openTemporaryDirectory, openTemporaryFile: where the system has them, unless told otherwise", async () => {
    await using directory = await openTemporaryDirectory();
    await using file = await openTemporaryFile();
    assert.match(directory.path.name, /^arborio-[0-9a-f]{20}$/);
    assert.match(file.path.name, /^arborio-[0-9a-f]{20}$/);
    assert.ok(directory.path.isAbsolute && file.path.isAbsolute);
    assert.equal(directory.path.parent.text, file.path.parent.text);
  });

  test("openTemporaryDirectory, openTemporaryFile: keep lets it stay, and what is gone is no error", async (parent) => {
    {
      await using directory = await openTemporaryDirectory({
        parent: new Path(parent),
        prefix: "one-",
      });
      await using file = await openTemporaryFile({ parent, prefix: "two-" });
      await file.file.write("mine");
      directory.keep();
      file.keep();
      await using gone = await openTemporaryDirectory({ parent });
      await gone.path.removeDirectory();
      await using away = await openTemporaryFile({ parent });
      await away.path.rename(new Path(parent, "renamed"));
    }
    const names = (await left(parent)).map((name) => name.replace(/(?<=-)[0-9a-f]{20}/, "…"));
    assert.deepEqual(names, ["one-…/", "renamed", "two-…"]);
  });

  test("openTemporaryDirectory: is removed although its block fails or is cancelled, and its scope has ended", async (parent) => {
    await assert.rejects(
      failAfter(1, async () => {
        await using directory = await openTemporaryDirectory({ parent });
        await plant(directory.path, "a/b/c", "d/e");
        await sleepForever();
      }),
      { name: "TimeoutError" },
    );
    await assert.rejects(async () => {
      await using _directory = await openTemporaryDirectory({ parent });
      throw new Error("mine");
    }, /mine/);
    const directory = await failAfter(60_000, () => openTemporaryDirectory({ parent }));
    const file = await new CancelScope().run(() => openTemporaryFile({ parent }));
    await directory[Symbol.asyncDispose]();
    await file?.[Symbol.asyncDispose]();
    assert.deepEqual(await left(parent), []);
  });

  test("openTemporaryDirectory, openTemporaryFile: are removed by a flow that has outlived its scope", async (parent) => {
    let goOn = (): void => {};
    const later = new Promise<void>((resolve) => (goOn = resolve));
    let floating: Promise<void> | undefined;
    await new CancelScope().run(async () => {
      const directory = await openTemporaryDirectory({ parent });
      const file = await openTemporaryFile({ parent });
      floating = (async () => {
        await later;
        await directory[Symbol.asyncDispose]();
        await file[Symbol.asyncDispose]();
      })();
    });
    goOn();
    await floating;
    assert.deepEqual(await left(parent), []);
  });

  test(
    "openTemporaryDirectory: what a task writes until the last moment is removed too",
    async (parent) => {
      await moveOnAfter(15, () =>
        taskGroup(async (group) => {
          await using directory = await openTemporaryDirectory({ parent });
          group.startSoon(async () => {
            try {
              for (let index = 0; ; index += 1) await plant(directory.path, `d${index}/x`);
            } catch (error) {
              // What it had begun came too late.
              if (!(error instanceof SystemError) || error.systemCode !== "ENOENT") throw error;
            }
          });
          await sleepForever();
        }),
      );
      assert.deepEqual(await left(parent), []);
    },
    { seeds: [1, 2, 3, 4, 5, 6, 7, 8] },
  );

  nobodysFilesTest(
    "openTemporaryDirectory: directories in it that may not be written or read are removed",
    async (parent) => {
      {
        await using directory = await openTemporaryDirectory({ parent });
        const { path } = directory;
        await plant(path, "locked/a", "locked/b/c", "dark/x/y", "no/z/", "no/file");
        await path.join("locked/b").setMode(0o500);
        for (const [name, mode] of [
          ["locked", 0o500],
          ["dark", 0],
          ["no", 0o600],
        ] as const)
          await path.join(name).setMode(mode);
        await path.setMode(0o500);
      }
      assert.deepEqual(await left(parent), []);
    },
  );

  test("openTemporaryDirectory, openTemporaryFile: refusals", async (parent) => {
    const missing = new Path(parent, "missing");
    const file = new Path(parent, "file");
    await file.write("");
    await assert.rejects(openTemporaryDirectory({ parent: missing }), hasSystemCode("ENOENT"));
    await assert.rejects(openTemporaryFile({ parent: missing }), hasSystemCode("ENOENT"));
    await assert.rejects(openTemporaryFile({ parent: file }), hasSystemCode("ENOTDIR"));
    await assert.rejects(
      openTemporaryFile({ parent, prefix: "x".repeat(250) }),
      hasSystemCode("ENAMETOOLONG"),
    );
    for (const wrong of [
      { prefix: "../x" },
      { prefix: "a\0" },
      { prefix: 1 },
      { parent: 1 },
      { suffix: ".txt" },
      { dir: "/tmp" },
      null,
    ])
      await assert.rejects(
        openTemporaryDirectory(wrong as never),
        /(Type|Range)Error/,
        JSON.stringify(wrong),
      );
    for (const wrong of [{ suffix: "/x" }, { suffix: 1 }, { mode: 0o644 }])
      await assert.rejects(
        openTemporaryFile(wrong as never),
        /(Type|Range)Error: openTemporaryFile/,
      );
    await file.remove();
    assert.deepEqual(await left(parent), []);
  });

  nodeTest("openTemporaryDirectory: each host of a simulated world has its own", async () => {
    await simulate({ seed: 3 }, async (world) => {
      const other = world.host("other");
      const program = other.start(async () => {
        await using directory = await openTemporaryDirectory();
        await directory.path.join("x").write("");
        await sleep(1000);
      });
      await sleep(500);
      assert.equal(other.files.list("/tmp").length, 1);
      assert.deepEqual(world.localhost.files.list("/tmp"), []);
      await program.wait();
      assert.deepEqual(other.files.list("/tmp"), []);
    });
  });

  nodeTest("openTemporaryDirectory: is removed when SIGTERM ends the program", async () => {
    await run(
      async () => {
        await using directory = await openTemporaryDirectory();
        const ended = runSelf(directory.path.text);
        assert.match(ended.stdout, /^2 there$/m, ended.stderr);
        assert.deepEqual(await walked(directory.path), []);
      },
      { signals: [] },
    );
  });
}

/** What this file is as a program: makes a file and a directory in `parent`, tells how many things are there, and ends by a signal. */
async function program(parent: string): Promise<void> {
  await run(async () => {
    await using directory = await openTemporaryDirectory({ parent });
    await using _file = await openTemporaryFile({ parent });
    await directory.path.join("x").write("");
    console.log(`${(await new Path(parent).entries()).length} there`);
    process.kill(process.pid, "SIGTERM");
    await sleepForever();
  });
}

function runSelf(parent: string): { stdout: string; stderr: string } {
  const conditions = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawnSync(process.execPath, [...start, ...conditions, fileURLToPath(import.meta.url)], {
    env: { ...env, [PARENT]: parent, NO_COLOR: "1" },
    encoding: "utf8",
    timeout: 30_000,
  });
}
