/** What a download leaves behind, whenever it ends, and what the next one makes of it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { checkpoint, gather, run } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { CommandError } from "../command-error.ts";
import {
  bytesOf,
  fetchOnce,
  LONG,
  simulated,
  textOf,
  URL_OF_IT,
} from "../testing/download-once.test.kit.ts";
import { Broken, type Origin } from "../testing/fake-origin.test.kit.ts";
import { Killed, MemoryDisk } from "../testing/memory-disk.test.kit.ts";
import { openFileTarget } from "./file-target.ts";

simulated("download: its bytes are on the disk before it gets its name", async () => {
  const disk = new MemoryDisk();
  await fetchOnce(disk, { bytes: bytesOf("short"), etag: '"1"' });
  assert.deepEqual(disk.log, [
    "write a.part.json",
    "write",
    "sync",
    "rename a.part",
    "remove a.part.json",
    "close",
  ]);
});

simulated("download: killed behind the last byte, it needs nothing of the server", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf("short"), etag: '"1"' };
  disk.operationsLeft = 6; // to look for a state, open the part, look for it, write a state and the bytes; not to sync
  await assert.rejects(fetchOnce(disk, origin), Killed);
  assert.equal(textOf(disk.files.get("a.part")), "short");
  disk.operationsLeft = Infinity;
  const { requests } = await fetchOnce(disk, origin);
  assert.deepEqual(requests, []);
  assert.equal(textOf(disk.files.get("a")), "short");
});

simulated(
  "download: a part of another URL, or one that is not to be used, is begun anew",
  async () => {
    for (const given of [{ url: "http://h/b" }, { resume: false }]) {
      const disk = new MemoryDisk();
      const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"', breaksAfter: 30 };
      await assert.rejects(fetchOnce(disk, origin, { retries: 0 }), Broken);
      delete origin.breaksAfter;
      const { requests } = await fetchOnce(disk, origin, given);
      assert.deepEqual(requests, [{}]);
      assert.deepEqual([...disk.files.keys()], ["a"]);
    }
  },
);

simulated(
  "download: a part of another URL stays until there is something to replace it",
  async () => {
    const disk = new MemoryDisk();
    const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"', breaksAfter: 30 };
    await assert.rejects(fetchOnce(disk, origin, { retries: 0 }), Broken);
    const gone: Origin = { bytes: bytesOf(""), etag: null, status: 404 };
    await assert.rejects(fetchOnce(disk, gone, { url: "http://h/b" }), /404/);
    delete origin.breaksAfter;
    const { requests } = await fetchOnce(disk, origin);
    assert.deepEqual(requests, [{ range: "bytes=30-", "if-range": '"1"' }]);
  },
);

simulated("download: a part that no earlier run has left is not touched, unless told", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"' };
  disk.files.set("a.part", bytesOf("a browser's"));
  await assert.rejects(fetchOnce(disk, origin), {
    name: "CommandError",
    message: "a.part is there, and is not of an earlier run; --overwrite replaces it",
  });
  assert.deepEqual([...disk.files.keys()], ["a.part"]);
  assert.equal(textOf(disk.files.get("a.part")), "a browser's");
  await fetchOnce(disk, origin, { overwrite: true });
  assert.deepEqual([...disk.files.keys()], ["a"]);
});

simulated(
  "download: cancelled at any moment, it leaves what the next one completes, or nothing",
  async () => {
    const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"', breaksAfter: 40 };
    const { rounds } = await cancelEverywhere(async () => {
      const disk = new MemoryDisk();
      try {
        await fetchOnce(disk, origin);
      } finally {
        const names = [...disk.files.keys()].sort().join();
        assert.ok(["", "a", "a.part,a.part.json"].includes(names), names);
      }
    });
    assert.ok(rounds.entry + rounds.waiting > 10);
  },
);

simulated(
  "download: killed at any moment while another version takes the place of a part",
  async () => {
    const next = bytesOf("x".repeat(100));
    let isWhole = false;
    for (let operations = 0; !isWhole; operations++) {
      const disk = new MemoryDisk();
      const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"', breaksAfter: 30 };
      await assert.rejects(fetchOnce(disk, origin, { retries: 0 }), Broken);
      Object.assign(origin, { bytes: next, etag: '"2"', breaksAfter: Infinity });
      disk.operationsLeft = operations;
      try {
        await fetchOnce(disk, origin);
        isWhole = true;
      } catch (error) {
        assert.ok(error instanceof Killed, String(error));
        disk.operationsLeft = Infinity;
        if (!disk.files.has("a")) await fetchOnce(disk, origin);
      }
      assert.equal(textOf(disk.files.get("a")), textOf(next), `killed after ${operations}`);
    }
  },
);

test("download: killed at any moment, with a server that fails and changes, it ends with one version, whole", async () => {
  const versions = [LONG, LONG.slice(0, 64).toUpperCase().replaceAll("0", "z"), "short"];
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          operations: fc.integer({ min: 1, max: 40 }),
          version: fc.nat(2),
          breaksAfter: fc.constantFrom(0, 3, 20, 50, Infinity),
          noRanges: fc.boolean(),
          noConditions: fc.boolean(),
          noLength: fc.boolean(),
          hasTag: fc.boolean(),
        }),
        { maxLength: 6 },
      ),
      fc.nat(2),
      (runs, last) =>
        run(
          async () => {
            const disk = new MemoryDisk();
            const originOf = (version: number, hasTag: boolean): Origin => ({
              bytes: bytesOf(versions[version] as string),
              etag: hasTag ? `"${version}"` : null,
            });
            for (const { operations, version, hasTag, ...faults } of runs) {
              disk.operationsLeft = operations;
              try {
                await fetchOnce(disk, { ...originOf(version, hasTag), ...faults }, { retries: 1 });
              } catch (error) {
                assert.ok(error instanceof Killed || error instanceof Broken, String(error));
              }
              const got = textOf(disk.files.get("a"));
              assert.ok(got === null || versions.includes(got), `a mixture: ${got}`);
              disk.files.delete("a");
            }
            disk.operationsLeft = Infinity;
            await fetchOnce(disk, originOf(last, true));
            const got = textOf(disk.files.get("a")) as string;
            assert.ok(versions.includes(got), `a mixture: ${got}`);
            assert.deepEqual([...disk.files.keys()], ["a"]);
          },
          { backend: simulator() },
        ),
    ),
    { numRuns: 300 },
  );
});

simulated(
  "download: one that gives up takes nothing from another that works at the file",
  async () => {
    const disk = new MemoryDisk();
    const options = { path: "a", url: URL_OF_IT, resume: true, overwrite: false };
    const version = { validator: null, totalBytes: null };
    const first = await openFileTarget(disk, options);
    await first.begin(version);
    await first.write(bytesOf("1"));
    const second = await openFileTarget(disk, options);
    await second.begin(version);
    await second.write(bytesOf("22"));
    await assert.rejects(first.finish(null), {
      name: "CommandError",
      message: "a.part is not the file that it was: does another run work at it?",
    });
    await first.close();
    await second.finish(null);
    await second.close();
    assert.deepEqual([...disk.files], [["a", bytesOf("22")]]);
  },
);

simulated(
  "download: one that has not begun takes nothing from another, and one that begins later begins anew",
  async () => {
    const disk = new MemoryDisk();
    const options = { path: "a", url: URL_OF_IT, resume: true, overwrite: false };
    const [first, second, third] = [
      await openFileTarget(disk, options),
      await openFileTarget(disk, options),
      await openFileTarget(disk, options),
    ];
    await second.close();
    await third.begin({ validator: '"3"', totalBytes: 9 });
    await third.write(bytesOf("333"));
    await first.begin({ validator: '"1"', totalBytes: 9 });
    await third.close();
    await first.write(bytesOf("1"));
    await first.close();
    const next = await openFileTarget(disk, options);
    assert.deepEqual(next.part, { version: { validator: '"1"', totalBytes: 9 }, sizeBytes: 1 });
    assert.equal(textOf(disk.files.get("a.part")), "1");
    await next.close();
  },
);

simulated(
  "download: a part that is replaced while its checksum is made does not get the name",
  async () => {
    const disk = new MemoryDisk();
    const options = { path: "a", url: URL_OF_IT, resume: true, overwrite: false };
    const version = { validator: null, totalBytes: null };
    const first = await openFileTarget(disk, options);
    await first.begin(version);
    await first.write(bytesOf("1"));
    const hex = createHash("sha256").update("1").digest("hex");
    const read = disk.read.bind(disk);
    disk.read = async function* (path) {
      yield* read(path);
      await (await openFileTarget(disk, options)).begin(version);
    };
    await assert.rejects(
      first.finish({ algorithm: "sha-256", hex }),
      /is not the file that it was/,
    );
    assert.equal(disk.files.has("a"), false);
  },
);

test("download: of two that work at the same file at once, whichever ends well has one version, whole", async () => {
  const versions = [LONG, LONG.toUpperCase().replaceAll("0", "z"), "short"];
  const runOf = fc.record({
    version: fc.nat(2),
    delay: fc.nat(30),
    breaksAfter: fc.constantFrom(3, 20, 50, Infinity, Infinity),
    noRanges: fc.boolean(),
    hasTag: fc.boolean(),
    resume: fc.boolean(),
  });
  let both = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(runOf, { minLength: 2, maxLength: 3 }), fc.nat(), (runs, seed) =>
      run(
        async () => {
          const disk = new MemoryDisk();
          let ended = 0;
          await gather(
            runs.map(({ version, delay, hasTag, resume, ...faults }) => async () => {
              for (let count = 0; count < delay; count++) await checkpoint();
              const bytes = bytesOf(versions[version] as string);
              const etag = hasTag ? `"${version}"` : null;
              try {
                await fetchOnce(disk, { bytes, etag, ...faults }, { retries: 1, resume });
                ended += 1;
              } catch (error) {
                assert.ok(error instanceof Broken || error instanceof CommandError, String(error));
              }
              const got = textOf(disk.files.get("a"));
              assert.ok(got === null || versions.includes(got), `a mixture: ${got}`);
            }),
          );
          if (ended > 1) both += 1;
          const got = textOf(disk.files.get("a"));
          assert.ok(got === null ? ended === 0 : versions.includes(got), `${ended} ended: ${got}`);
          // Whatever is left, the next one makes something of it.
          disk.files.delete("a");
          await fetchOnce(disk, { bytes: bytesOf(LONG), etag: '"0"' }, { overwrite: true });
          assert.equal(textOf(disk.files.get("a")), LONG);
        },
        { backend: simulator({ seed }) },
      ),
    ),
    { numRuns: 300 },
  );
  assert.ok(both > 0);
});
