/** How changes are received: by whom, when, and what becomes of those that nobody received. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import {
  BusyResourceError,
  checkpoint,
  ClosedResourceError,
  moveOnAfter,
  now,
  run,
  sleep,
  taskGroup,
} from "../index.ts";
import { watchDirectory, type DirectoryWatch } from "../fs.ts";
import { simulator } from "../sim.ts";
import { cancelEverywhere } from "../testing.ts";
import { filesTest } from "./files.test.kit.ts";
import { act, toldUntil, toldUntilNow } from "./watch.test.kit.ts";

const FOLDER_OF_SIMULATOR = "/tmp";

filesTest(
  "DirectoryWatch: one task receives; closing ends its wait; leaving a loop closes nothing",
  async (folder) => {
    await using watch = await watchDirectory(folder);
    await taskGroup(async (group) => {
      group.startSoon(() => assert.rejects(watch.receive(), ClosedResourceError));
      await checkpoint();
      await sleep(1);
      await assert.rejects(watch.receiveAll(), BusyResourceError);
      watch.close();
      watch.close();
    });
    await assert.rejects(watch.receive(), ClosedResourceError);

    using another = await watchDirectory(folder);
    await act.write(`${folder}/a`);
    for await (const { path } of another) {
      assert.equal(path, `${folder}/a`);
      break;
    }
    assert.deepEqual(await toldUntilNow(another), []);
  },
);

filesTest("DirectoryWatch: closed while it waits for quiet, and while it looks", async (folder) => {
  for (const afterMs of [0, 5, 10, 20, 49, 50, 51, 52, 60]) {
    const watch = await watchDirectory(folder);
    await act.write(`${folder}/${afterMs}`);
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        await assert.rejects(async () => {
          for (;;) await watch.receive();
        }, ClosedResourceError);
      });
      await sleep(afterMs);
      watch.close();
    });
  }
});

filesTest(
  "DirectoryWatch: closed at any moment of a look",
  async (folder) => {
    for (let count = 0; count < 5; count++) await act.write(`${folder}/${count}`);
    for (let afterMs = 50; afterMs < 60; afterMs += 0.125) {
      const watch = await watchDirectory(folder);
      await act.append(`${folder}/0`);
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          await assert.rejects(async () => {
            for (;;) await watch.receive();
          }, ClosedResourceError);
        });
        await sleep(afterMs);
        watch.close();
      });
    }
  },
  { skip: { backend: "host", reason: "no host looks at a known time" } },
);

filesTest("DirectoryWatch: cancelled while it receives, it has lost nothing", async (folder) => {
  using watch = await watchDirectory(folder, { recursive: true });
  const paths: string[] = [];
  for (let round = 0; round < 20; round++) {
    await act.directory(`${folder}/${round}`);
    await act.write(`${folder}/${round}/file`);
    await moveOnAfter(round * 4, async () => {
      for await (const { path } of watch) paths.push(path.slice(folder.length));
    });
  }
  const rest = await toldUntil(watch, (changes) => paths.length + changes.length >= 40);
  for (const one of rest) paths.push(one.split(" ")[1] as string);
  const all = Array.from({ length: 20 }, (_, round) => [`/${round}`, `/${round}/file`]).flat();
  assert.deepEqual(paths.sort(), all.sort());
});

filesTest(
  "watchDirectory, receive: cancelled anywhere, nothing is left, and nothing is lost",
  async (folder) => {
    await act.directory(`${folder}/a`);
    await act.write(`${folder}/a/b`);
    let rounds = 0;
    using over = await watchDirectory(folder, { recursive: true });
    await cancelEverywhere(async () => {
      rounds += 1;
      const name = `${folder}/a/${rounds}`;
      using watch = await watchDirectory(folder, { recursive: true, settleMs: 1 });
      await act.write(name);
      for await (const { path } of watch) if (path === name) break;
    });
    assert.ok(rounds > 20, `${rounds} rounds`);
    const seen = await toldUntilNow(over, `${folder}/a`);
    for (const one of seen) assert.match(one, /^created \/a\/\d+ file$/);
  },
  { skip: { backend: "host", reason: "each round waits for the system" } },
);

filesTest(
  "watchDirectory({ settleMs }): changes come when it has been quiet for so long, all together",
  async (folder) => {
    using watch = await watchDirectory(folder, { settleMs: 500 });
    const began = now();
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        for (let count = 0; count < 10; count++) {
          await act.write(`${folder}/${count}`);
          await sleep(400);
        }
      });
      const changes = await watch.receiveAll();
      assert.equal(changes.length, 10);
      // The last one was written after 3,600 ms.
      assert.ok(now() - began >= 4100 && now() - began < 4300, `${now() - began} ms`);
    });
  },
  { skip: { backend: "host", reason: "the times are exact only in virtual time" } },
);

filesTest(
  "watchDirectory({ settleMs }): what changes all the time does not hide the rest",
  async (folder) => {
    using watch = await watchDirectory(folder, { settleMs: 100 });
    const began = now();
    await taskGroup(async (group) => {
      group.startSoon(
        async () => {
          for (;;) {
            await act.append(`${folder}/busy`);
            await sleep(50);
          }
        },
        { daemon: true },
      );
      await act.write(`${folder}/other`);
      for (const before of [0, 2000]) {
        const paths = (await watch.receiveAll()).map(({ path }) => path);
        assert.ok(paths.includes(`${folder}/busy`));
        assert.equal(paths.includes(`${folder}/other`), before === 0);
        const tookMs = now() - began - before;
        assert.ok(tookMs >= 2000 && tookMs < 2300, `${tookMs} ms`);
      }
    });
  },
  { skip: { backend: "host", reason: "the times are exact only in virtual time" } },
);

filesTest("watchDirectory({ settleMs: 0 }): told at once", async (folder) => {
  using watch = await watchDirectory(folder, { settleMs: 0 });
  await act.write(`${folder}/a`, "text");
  const changes = await toldUntilNow(watch);
  assert.equal(changes[0], "created /a file");
});

filesTest(
  "watchDirectory: what onError throws comes out, and the watch goes on",
  async (folder) => {
    const wrong = new Error("from ignore");
    let isWrong = false;
    using watch = await watchDirectory(folder, {
      ignore() {
        if (isWrong) throw wrong;
        return false;
      },
    });
    isWrong = true;
    await act.write(`${folder}/a`);
    await assert.rejects(watch.receive(), (error) => error === wrong);
    isWrong = false;
    assert.deepEqual(await toldUntilNow(watch), ["created /a file"]);
  },
);

filesTest(
  "DirectoryWatch: names that come faster than they are read are kept once each",
  async (folder) => {
    using watch = await watchDirectory(folder);
    for (let round = 0; round < 3; round++)
      for (let count = 0; count < 60; count++) await act.write(`${folder}/${count}`, `${round}`);
    const told = await toldUntilNow(watch);
    assert.equal(told.length, 60);
    assert.equal(new Set(told).size, 60);
  },
);

nodeTest("watchDirectory: in the simulator each seed is one story", async () => {
  const [first, again, other] = [await story(0), await story(0), await story(1)];
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
});

/** What is told, and when. */
async function story(seed: number): Promise<unknown[]> {
  const told: unknown[] = [];
  await run(
    async (group) => {
      const watch: DirectoryWatch = await watchDirectory(FOLDER_OF_SIMULATOR);
      group.startSoon(
        async () => {
          for await (const { kind, path } of watch) told.push([now(), kind, path]);
        },
        { daemon: true },
      );
      for (let count = 0; count < 20; count++) {
        await act.write(`${FOLDER_OF_SIMULATOR}/${count % 7}`, `${count}`);
        await sleep(30);
      }
      await sleep(1000);
    },
    { signals: [], backend: simulator({ seed }) },
  );
  return told;
}
