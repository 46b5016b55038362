import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenResourceError, InvalidStateError, shielded, sleep } from "../../index.ts";
import { appendFile, openFile, replaceFile, writeFile } from "../../fs.ts";
import { change, hasSystemCode, pattern } from "../../fs/files.test.kit.ts";
import { connectTcp, listenTcp } from "../../net.ts";
import { openProcess } from "../../process.ts";
import { simulate, type SimulatedHost } from "../../sim.ts";

/** More than two pages, so that a mixture shows. */
const OLD = "old ".repeat(3000);
const NEW = "new! ".repeat(2700);

/** What is in `/state` after `save` was cut short by a crash, for each of many seeds and instants. */
async function statesAfterCrash(
  save: () => Promise<unknown>,
  seeds: number,
): Promise<Map<string, number>> {
  const states = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    await simulate({ seed }, async (world) => {
      const server = world.host("server");
      server.files.write("/state", OLD);
      server.start(save);
      await sleep((seed % 40) / 8);
      server.crash();
      const text = server.files.readText("/state");
      const state = text === OLD ? "old" : text === NEW ? "new" : text === "" ? "empty" : "mixed";
      states.set(state, (states.get(state) ?? 0) + 1);
    });
  }
  return states;
}

test("host.crash: a file that replaceFile replaces is old or new, never a mixture, never empty", async () => {
  const states = await statesAfterCrash(() => replaceFile("/state", NEW), 400);
  assert.deepEqual([...states.keys()].sort(), ["new", "old"], JSON.stringify([...states]));
});

test("host.crash: a file that is simply written, or replaced without sync, is lost with some seed", async () => {
  const written = await statesAfterCrash(() => writeFile("/state", NEW), 400);
  for (const state of ["old", "empty", "mixed", "new"])
    assert.ok(written.has(state), `${state}: ${JSON.stringify([...written])}`);
  const unsynced = await statesAfterCrash(() => replaceFile("/state", NEW, { sync: false }), 400);
  assert.ok(unsynced.has("empty") || unsynced.has("mixed"), JSON.stringify([...unsynced]));
});

test("host.crash: what replaceFile has returned for is there", async () => {
  const states = await statesAfterCrash(async () => {
    await replaceFile("/state", NEW);
    await sleep(1000);
  }, 1);
  assert.deepEqual([...states.keys()], ["old"]);
  for (let seed = 0; seed < 50; seed++) {
    await simulate({ seed }, async (world) => {
      const server = world.host("server");
      server.files.write("/state", OLD);
      await server.run(() => replaceFile("/state", NEW));
      server.crash();
      assert.equal(server.files.readText("/state"), NEW);
      assert.deepEqual(server.files.list("/"), ["state", "tmp"]);
    });
  }
});

/** What a host's files say after `prepare`, `work` and a crash, over seeds; each outcome once. */
async function outcomesOf(
  prepare: (server: SimulatedHost) => void,
  work: () => Promise<unknown>,
  look: (server: SimulatedHost) => string,
): Promise<string[]> {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    await simulate({ seed }, async (world) => {
      const server = world.host("server");
      prepare(server);
      await server.run(work);
      server.crash();
      outcomes.add(look(server));
    });
  }
  return [...outcomes].sort();
}

test("host.crash: pages that were synced stay, others are lost page by page", async () => {
  const outcomes = await outcomesOf(
    (server) => server.files.write("/log", pattern(8192)),
    async () => {
      await using file = await openFile("/log", { flags: "r+" });
      await file.write(new Uint8Array(1).fill(255), 0);
      await file.sync();
      await file.write(new Uint8Array(1).fill(254), 1);
      await file.write(new Uint8Array(1).fill(253), 5000);
    },
    ({ files }) => {
      const bytes = files.read("/log");
      assert.equal(bytes.length, 8192);
      return [bytes[0], bytes[1], bytes[5000]].join(" ");
    },
  );
  const old = pattern(8192);
  const expected = [254, old[1]].flatMap((one) =>
    [253, old[5000]].map((two) => `255 ${one} ${two}`),
  );
  assert.deepEqual(outcomes, expected.sort());
});

test("host.crash: an appended log is cut off somewhere, but what was synced is whole", async () => {
  const synced = "x".repeat(5000);
  const outcomes = await outcomesOf(
    () => {},
    async () => {
      await writeFile("/log", synced, { sync: true });
      await appendFile("/log", "y".repeat(20_000));
    },
    ({ files }) => {
      // The name was never synced.
      if (!files.list("/").includes("log")) return "no name";
      const text = files.readText("/log");
      assert.ok(text.startsWith(synced), "what was synced is whole");
      assert.match(text.slice(5000), /^[y\0]*$/);
      return text.length === 5000 ? "synced only" : text.length === 25_000 ? "all" : "a part";
    },
  );
  assert.deepEqual(outcomes, ["a part", "all", "no name", "synced only"]);
});

test("host.crash: names that were not synced are old or new, and a rename is one step", async () => {
  const outcomes = await outcomesOf(
    ({ files }) => files.write("/a", "a"),
    async () => {
      await change({ kind: "rename", path: "/a", target: "/b" });
      await change({ kind: "make-directory", path: "/d", mode: 0o755 });
      await change({ kind: "rename", path: "/b", target: "/d/c" });
    },
    ({ files }) => ["/a", "/b", "/d", "/d/c"].filter((path) => files.exists(path)).join(" "),
  );
  // In one place, or, if its directory is not there, nowhere.
  assert.deepEqual(outcomes, ["", "/a", "/a /d", "/b", "/b /d", "/d /d/c"]);
});

test("host.crash: a name that was synced stays if its directory does, and what it builds upon is synced too", async () => {
  const outcomes = await outcomesOf(
    ({ files }) => files.write("/a", "a"),
    async () => {
      await change({ kind: "make-directory", path: "/d", mode: 0o755 });
      await change({ kind: "rename", path: "/a", target: "/between" });
      await change({ kind: "rename", path: "/between", target: "/d/b" });
      await change({ kind: "hard-link", path: "/other", target: "/d/b" });
      await change({ kind: "sync-directory", path: "/d" });
      await change({ kind: "rename", path: "/d/b", target: "/d/c" });
    },
    ({ files }) => {
      assert.equal(files.exists("/a") || files.exists("/between"), false);
      return ["/d/b", "/d/c", "/other"].filter((path) => files.exists(path)).join(" ");
    },
  );
  assert.deepEqual(outcomes, ["", "/d/b", "/d/b /other", "/d/c", "/d/c /other", "/other"]);
});

test("host.crash: directories that were moved into one another are never lost in a circle", async () => {
  const outcomes = await outcomesOf(
    ({ files }) => {
      files.makeDirectory("/a/b");
      files.write("/a/kept", "");
    },
    async () => {
      await change({ kind: "rename", path: "/a/b", target: "/b" });
      await change({ kind: "rename", path: "/a", target: "/b/a" });
    },
    ({ files }) => ["/a/b", "/b", "/b/a"].filter((path) => files.exists(path)).join(" "),
  );
  assert.deepEqual(outcomes, ["/a/b", "/b", "/b /b/a"]);
});

test("host.crash: a file that was moved out of a directory outlives the directory", async () => {
  const outcomes = await outcomesOf(
    ({ files }) => files.write("/d/file", "x"),
    async () => {
      await change({ kind: "rename", path: "/d/file", target: "/file" });
      await change({ kind: "remove-directory", path: "/d" });
    },
    ({ files }) => {
      const where = ["/file", "/d/file"].filter((path) => files.exists(path));
      assert.equal(where.length, 1, "it is in one place");
      assert.equal(files.readText(where[0] as string), "x");
      return files.list("/").join(" ");
    },
  );
  assert.deepEqual(outcomes, ["d file tmp", "d tmp", "file tmp"]);
});

test("host.crash: what a sync could not write is lost, though the next one succeeds, unless it is written again", async () => {
  for (const isWrittenAgain of [false, true]) {
    await simulate({ seed: 1 }, async (world) => {
      const server = world.host("server");
      server.files.write("/log", "old");
      await server.run(async () => {
        await using file = await openFile("/log", { flags: "r+" });
        await file.write("new", 0);
        server.files.damage("/log");
        await assert.rejects(file.sync(), hasSystemCode("EIO"));
        server.files.repair("/log");
        if (isWrittenAgain) await file.write("new", 0);
        await file.sync();
        assert.equal(server.files.readText("/log"), "new");
      });
      server.crash();
      assert.equal(server.files.readText("/log"), isWrittenAgain ? "new" : "old");
    });
  }
});

test("host.crash: permissions that were not synced are old or new", async () => {
  const outcomes = await outcomesOf(
    ({ files }) => files.write("/secret", "", { mode: 0o644 }),
    () => change({ kind: "mode", path: "/secret", mode: 0o600 }),
    ({ files }) => files.stat("/secret").mode.toString(8),
  );
  assert.deepEqual(outcomes, ["600", "644"]);
});

test("host.crash: what runs on the host is cancelled and reaches nothing more; then it can be started again", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const server = world.host("server", { addresses: ["10.0.0.1"] });
    const log: string[] = [];
    const serve = async (): Promise<void> => {
      const listener = await listenTcp(80);
      const file = await openFile("/tmp/held", { flags: "w" });
      try {
        await listener.serve(async (stream) => {
          await stream.receive();
        });
      } finally {
        await shielded(async () => {
          await assert.rejects(file.write("late"), hasSystemCode("EIO"));
          await assert.rejects(writeFile("/late", "late"), hasSystemCode("EIO"));
        });
        log.push("cleaned up");
        assert.fail("nobody hears this");
      }
    };
    server.program("child", async () => {
      await writeFile("/child", "x", { sync: true });
      await sleep(Infinity);
    });
    server.start(serve);
    server.start(async () => {
      await openProcess(["child"]);
      await sleep(Infinity);
    });
    await sleep(100);
    using stream = await connectTcp("server", 80);
    assert.deepEqual([server.openFiles, server.processes.length], [1, 1]);
    server.crash();
    assert.deepEqual([server.openFiles, server.processes.length], [0, 0]);
    await assert.rejects(stream.receive(), BrokenResourceError);
    await assert.rejects(connectTcp("server", 80), /ECONNREFUSED/);
    await sleep(100);
    assert.deepEqual(log, ["cleaned up"]);
    assert.equal(server.files.exists("/late"), false);
    server.start(serve);
    await sleep(100);
    using again = await connectTcp("server", 80);
    await again.send(new Uint8Array(1));
    server.crash();
    assert.deepEqual(world.netstat("server"), []);
  });
});

test("host.crash: a part that host.run runs there fails with EHOSTDOWN; of the host itself nobody may ask it", async () => {
  await simulate({ seed: 1 }, async (world, group) => {
    const server = world.host("server");
    group.startSoon(async () => {
      await sleep(10);
      server.crash();
    });
    await assert.rejects(
      server.run(() => sleep(Infinity)),
      hasSystemCode("EHOSTDOWN"),
    );
    assert.throws(() => world.localhost.crash(), InvalidStateError);
    await assert.rejects(
      server.run(() => server.crash()),
      InvalidStateError,
    );
  });
});

test("host.crash: the same seed leaves the same files", async () => {
  const contentsAfter = async (seed: number): Promise<string> =>
    simulate({ seed }, async (world) => {
      const server = world.host("server");
      server.files.write("/state", OLD);
      server.start(() => writeFile("/state", NEW));
      await sleep(3);
      server.crash();
      return server.files.readText("/state");
    });
  for (let seed = 0; seed < 20; seed++)
    assert.equal(await contentsAfter(seed), await contentsAfter(seed));
});
