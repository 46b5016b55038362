/** Whole files written, appended to and replaced, on the host and in the simulator. */
import assert from "node:assert/strict";
import {
  CancelScope,
  Event,
  moveOnAfter,
  shielded,
  sleep,
  sleepForever,
  taskGroup,
} from "../index.ts";
import {
  appendFile,
  type FileData,
  openFile,
  readDirectory,
  readFile,
  readTextFile,
  replaceFile,
  writeFile,
} from "../fs.ts";
import { createMemoryPipe } from "../streams.ts";
import { cancelEverywhere } from "../testing.ts";
import {
  change,
  filesTest as test,
  hasSystemCode,
  hostFilesTest,
  look,
  pattern,
  textOf,
  untilClosed,
} from "./files.test.kit.ts";

const writers = { writeFile, appendFile, replaceFile };

async function* pieces(...all: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const piece of all) {
    await sleep(1);
    yield piece;
  }
}

for (const [name, write] of Object.entries(writers)) {
  test(`${name}: makes a file of text, bytes, or an iterable of both`, async (folder) => {
    const large = pattern(2_500_000);
    const [sender, receiver] = createMemoryPipe();
    const cases: [FileData, Uint8Array][] = [
      ["grün\n", new TextEncoder().encode("grün\n")],
      ["", new Uint8Array(0)],
      [large, large],
      [pieces("a", Uint8Array.of(0, 255), "", "ä"), Uint8Array.of(97, 0, 255, 195, 164)],
      [pieces(), new Uint8Array(0)],
      [receiver, large],
    ];
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        await sender.send(large);
        sender.close();
      });
      for (const [index, [data, expected]] of cases.entries()) {
        const path = `${folder}/${index}`;
        assert.equal(await write(path, data), expected.length);
        assert.deepEqual(await readFile(path), expected);
      }
    });
  });

  test(`${name}: what cannot be written changes nothing`, async (folder) => {
    const path = `${folder}/file`;
    await writeFile(path, "old");
    for (const data of [undefined, null, 5, {}, ["a"], new ArrayBuffer(2)])
      await assert.rejects(write(path, data as never), TypeError);
    await assert.rejects(write(path, "x", { modus: 1 } as never), /there is no such option/);
    await assert.rejects(write(path, "x", { sync: 1 as never }), TypeError);
    await assert.rejects(write(path, "x", { mode: -1 }), RangeError);
    await assert.rejects(write(path, "x", null as never), TypeError);
    await assert.rejects(write("a\0b", "x"), RangeError);
    await assert.rejects(write(folder, "x"), hasSystemCode("EISDIR"));
    await assert.rejects(write(`${path}/below`, "x"), hasSystemCode("ENOTDIR"));
    await assert.rejects(write(`${folder}/none/below`, "x"), hasSystemCode("ENOENT"));
    assert.equal(await readTextFile(path), "old");
    assert.equal((await readDirectory(folder)).length, 1);
  });

  test(`${name}: an iterable that gives something else, or throws, is told of its end`, async (folder) => {
    const path = `${folder}/file`;
    let returned = 0;
    const faulty = (fault: () => unknown): FileData =>
      (async function* (): AsyncGenerator<string> {
        try {
          yield "begun";
          yield fault() as string;
        } finally {
          returned += 1;
        }
      })();
    await assert.rejects(
      write(
        path,
        faulty(() => 7),
      ),
      /got 7, needs a string or a Uint8Array/,
    );
    const mine = new Error("mine");
    const throwing = faulty(() => {
      throw mine;
    });
    await assert.rejects(write(path, throwing), (error) => error === mine);
    assert.equal(returned, 2);
    assert.ok((await readDirectory(folder)).every((entry) => entry.name === "file"));
  });

  test(`${name}: cancelled, it does not wait for a foreign iterable`, async (folder) => {
    let returned = false;
    const scope = new CancelScope();
    const never: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next() {
          // Not before: it would not have been asked for anything.
          void Promise.resolve().then(() => scope.cancel());
          return new Promise<never>(() => {});
        },
        return: () => {
          returned = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    await scope.run(() => write(`${folder}/file`, never));
    assert.ok(scope.cancelledCaught);
    assert.ok(returned);
  });
}

test("writeFile: what was in the file is gone, appendFile: it stays", async (folder) => {
  const path = `${folder}/file`;
  await writeFile(path, "a long text");
  await writeFile(path, "short", { sync: true });
  assert.equal(await readTextFile(path), "short");
  await appendFile(path, pieces(" and", " more"), { sync: true });
  assert.equal(await readTextFile(path), "short and more");
  await assert.rejects(writeFile(path, "x", { exclusive: true }), hasSystemCode("EEXIST"));
  await writeFile(`${folder}/new`, "x", { exclusive: true, mode: 0o600 });
  assert.equal((await look(`${folder}/new`)).mode, 0o600);
});

test("writeFile: cancelled, it leaves what was written until then, and nothing open", async (folder) => {
  const path = `${folder}/file`;
  const reached = new Event();
  await taskGroup(async (group) => {
    const scope = new CancelScope();
    group.startSoon(() =>
      scope.run(() =>
        writeFile(
          path,
          (async function* () {
            yield "until then";
            reached.set();
            await sleepForever();
          })(),
        ),
      ),
    );
    await reached.wait();
    scope.cancel();
  });
  assert.equal(await readTextFile(path), "until then");
});

test("replaceFile: readers find all of the old or all of the new", async (folder) => {
  const path = `${folder}/file`;
  const contents = (round: number): Uint8Array => new Uint8Array(300_000).fill(round);
  await writeFile(path, contents(0));
  let isDone = false;
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      for (let round = 1; round <= 10; round++) await replaceFile(path, contents(round));
      isDone = true;
    });
    while (!isDone) {
      const found = await readFile(path);
      assert.equal(found.length, 300_000);
      assert.ok(found.every((byte) => byte === found[0]));
    }
  });
  assert.deepEqual(await readFile(path), contents(10));
  assert.equal((await readDirectory(folder)).length, 1);
});

test("replaceFile: keeps permissions; who has the old file open keeps it", async (folder) => {
  const path = `${folder}/file`;
  await writeFile(path, "old");
  await change({ kind: "mode", path, mode: 0o751 });
  using old = await openFile(path);
  await replaceFile(path, "new");
  assert.equal((await look(path)).mode, 0o751);
  assert.equal(textOf(await old.readRange(0, 10)), "old");
  assert.notEqual((await look(path)).inode, (await old.stat()).inode);
  await replaceFile(path, "newer", { mode: 0o600, sync: false });
  assert.equal((await look(path)).mode, 0o600);
  await replaceFile(`${folder}/other`, "x", { mode: 0o642 });
  assert.equal((await look(`${folder}/other`)).mode, 0o642);
  assert.equal(await readTextFile(path), "newer");
});

test("replaceFile: a link stays, what it leads to is replaced", async (folder) => {
  await change({ kind: "make-directory", path: `${folder}/deep`, mode: 0o755 });
  await writeFile(`${folder}/deep/real`, "old");
  await change({ kind: "symbolic-link", path: `${folder}/link`, target: "deep/real" });
  await replaceFile(`${folder}/link`, "new");
  assert.equal(await readTextFile(`${folder}/deep/real`), "new");
  assert.equal((await look(`${folder}/link`)).kind, "link");
  await change({ kind: "symbolic-link", path: `${folder}/dead`, target: "nowhere" });
  await replaceFile(`${folder}/dead`, "alive");
  assert.equal((await look(`${folder}/dead`)).kind, "file");
});

test("replaceFile: cancelled at every checkpoint, the old file is whole and nothing is left beside it", async (folder) => {
  const path = `${folder}/file`;
  const { rounds } = await cancelEverywhere(async (round) => {
    await shielded(() => writeFile(path, "old"));
    let hasEnded = false;
    try {
      assert.equal(await replaceFile(path, pieces("n", "e", "w")), 3);
      hasEnded = true;
    } finally {
      const [found, names] = await shielded(
        async () => [await readTextFile(path), await readDirectory(folder)] as const,
      );
      // It has happened, and says so, or has not.
      assert.equal(found, hasEnded ? "new" : "old", `cancelled at ${String(round.moment)}`);
      assert.equal(names.length, 1);
    }
  });
  assert.ok(rounds.entry > 10 && rounds.waiting > 10, JSON.stringify(rounds));
});

test("writeFile, appendFile: cancelled at every checkpoint, they did what they say", async (folder) => {
  await cancelEverywhere(async (round) => {
    const path = `${folder}/${String(round.moment)}`;
    let written = -1;
    try {
      written = await writeFile(path, pieces("ab", "cd"));
      written += await appendFile(path, "ef", { sync: true });
    } finally {
      await shielded(async () => {
        const names = (await readDirectory(folder)).map(({ name }) => name);
        if (!names.includes(String(round.moment))) return;
        const found = await readTextFile(path);
        assert.ok("abcdef".startsWith(found), found);
        if (written === 6) assert.equal(found, "abcdef");
        await change({ kind: "remove-file", path });
      });
    }
  });
});

hostFilesTest(
  "writeFile, appendFile, replaceFile: cancelled at any moment, nothing stays open",
  async (folder) => {
    const paths: string[] = [];
    for (let round = 0; round < 60; round++) {
      const path = `${folder}/${round}`;
      paths.push(path);
      const write = [writeFile, appendFile, replaceFile][round % 3] as typeof writeFile;
      await moveOnAfter((round % 20) / 10, () => write(path, pattern(300_000)));
    }
    for (const path of paths) await untilClosed(path);
    for (const { name } of await readDirectory(folder)) assert.match(name, /^\d+$/);
  },
  "descriptors of this process",
);
