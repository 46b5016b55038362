import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { now, run } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { ask, Broken, type Origin } from "../testing/fake-origin.test.kit.ts";
import { Killed, MemoryDisk } from "../testing/memory-disk.test.kit.ts";
import { type Checksum, checksumOf } from "./checksum.ts";
import { download, type DownloadOptions } from "./download.ts";
import { DownloadProgress } from "./download-progress.ts";
import { openFileTarget } from "./file-target.ts";

const URL_OF_IT = "http://h/a";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : new TextDecoder().decode(bytes);

const LONG = "0123456789".repeat(10);

interface Given extends Partial<Pick<DownloadOptions, "retries" | "checksum">> {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly url?: string;
  /** Called before each request, with its number from 1 on. */
  readonly before?: (request: number, fields: Readonly<Record<string, string>>) => void;
}

/** Downloads once; the requests that it took. */
async function fetchOnce(
  disk: MemoryDisk,
  origin: Origin,
  given: Given = {},
): Promise<{ requests: Readonly<Record<string, string>>[]; progress: DownloadProgress }> {
  const requests: Readonly<Record<string, string>>[] = [];
  const { url = URL_OF_IT, retries = 3, checksum = null } = given;
  const { resume = true, overwrite = false } = given;
  const progress = new DownloadProgress({ name: "a", url, path: "a" }, () => {});
  const target = await openFileTarget(disk, { path: "a", url, resume, overwrite });
  const options: DownloadOptions = {
    url,
    checksum,
    retries,
    ask: (_, fields) => {
      requests.push(fields);
      given.before?.(requests.length, fields);
      return ask(origin, fields);
    },
    mayPass: (error) => error instanceof Broken,
    reasonOf: (error) => error.message,
  };
  await download(options, target, progress);
  return { requests, progress };
}

function simulated(title: string, body: () => Promise<void>): void {
  test(title, () => run(body, { backend: simulator() }));
}

simulated("download: a file, which is there under its name only when it is complete", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"' };
  const { requests, progress } = await fetchOnce(disk, origin);
  assert.deepEqual([...disk.files.keys()], ["a"]);
  assert.equal(textOf(disk.files.get("a")), LONG);
  assert.deepEqual(requests, [{}]);
  assert.deepEqual([progress.receivedBytes, progress.totalBytes], [100, 100]);
});

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
  disk.operationsLeft = 5; // to look for a state, open the part, write a state and the bytes; not to sync
  await assert.rejects(fetchOnce(disk, origin), Killed);
  assert.equal(textOf(disk.files.get("a.part")), "short");
  disk.operationsLeft = Infinity;
  const { requests } = await fetchOnce(disk, origin);
  assert.deepEqual(requests, []);
  assert.equal(textOf(disk.files.get("a")), "short");
});

simulated(
  "download: a server that gives less than it was asked for is asked for more",
  async () => {
    const disk = new MemoryDisk();
    const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"', breaksAfter: 30 };
    await assert.rejects(fetchOnce(disk, origin, { retries: 0 }), Broken);
    Object.assign(origin, { breaksAfter: Infinity, rangeBytesMax: 25 });
    const { requests } = await fetchOnce(disk, origin, { retries: 1 });
    assert.deepEqual(
      requests.map(({ range }) => range),
      ["bytes=30-", "bytes=55-", "bytes=80-"],
    );
    assert.equal(textOf(disk.files.get("a")), LONG);
  },
);

simulated("download: an empty file", async () => {
  const disk = new MemoryDisk();
  await fetchOnce(disk, { bytes: bytesOf(""), etag: '"1"' });
  assert.deepEqual([...disk.files.keys()], ["a"]);
});

simulated("download: of unknown length", async () => {
  const disk = new MemoryDisk();
  await fetchOnce(disk, { bytes: bytesOf(LONG), etag: null, noLength: true });
  assert.equal(textOf(disk.files.get("a")), LONG);
});

simulated("download: what breaks off is completed by ranges, as long as bytes come", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"', breaksAfter: 15 };
  const { requests } = await fetchOnce(disk, origin, { retries: 1 });
  assert.equal(textOf(disk.files.get("a")), LONG);
  assert.deepEqual(
    requests.map(({ range }) => range),
    [undefined, "bytes=15-", "bytes=30-", "bytes=45-", "bytes=60-", "bytes=75-", "bytes=90-"],
  );
  assert.ok(requests.slice(1).every((fields) => fields["if-range"] === '"1"'));
});

simulated("download: without a validator it begins anew", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: null, breaksAfter: 50 };
  const { requests } = await fetchOnce(disk, origin, {
    before: (request) => {
      if (request === 3) delete origin.breaksAfter;
    },
  });
  assert.equal(textOf(disk.files.get("a")), LONG);
  assert.deepEqual(requests, [{}, {}, {}]);
});

simulated(
  "download: gives up after failures in a row without a byte, and keeps what can be completed",
  async () => {
    const disk = new MemoryDisk();
    const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"' };
    const start = now();
    await assert.rejects(
      fetchOnce(disk, origin, {
        retries: 2,
        before: (request) => (origin.breaksAfter = request === 1 ? 30 : 0),
      }),
      Broken,
    );
    assert.ok(now() - start >= 750, "it did not pause");
    assert.deepEqual([...disk.files.keys()].sort(), ["a.part", "a.part.json"]);
    delete origin.breaksAfter;
    const { requests } = await fetchOnce(disk, origin);
    assert.deepEqual(requests, [{ range: "bytes=30-", "if-range": '"1"' }]);
    assert.equal(textOf(disk.files.get("a")), LONG);
  },
);

simulated("download: gives up a server that breaks off at the same place each time", async () => {
  for (const [etag, noRanges] of [
    [null, false],
    ['"1"', true],
  ] as const) {
    const disk = new MemoryDisk();
    const origin: Origin = { bytes: bytesOf(LONG), etag, noRanges, breaksAfter: 50 };
    let asked = 0;
    const before = (request: number): void => {
      asked = request;
    };
    await assert.rejects(fetchOnce(disk, origin, { retries: 2, before }), Broken);
    assert.equal(asked, 3);
  }
});

simulated("download: what cannot be completed is not kept", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: null, breaksAfter: 30 };
  await assert.rejects(fetchOnce(disk, origin, { retries: 0 }), Broken);
  assert.deepEqual([...disk.files.keys()], []);
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
  "download: a server that ignores If-Range does not make it mix two versions",
  async () => {
    const disk = new MemoryDisk();
    const origin: Origin = {
      bytes: bytesOf(LONG),
      etag: '"1"',
      breaksAfter: 30,
      noConditions: true,
    };
    const { requests } = await fetchOnce(disk, origin, {
      before: (request) => {
        if (request === 2)
          Object.assign(origin, {
            etag: '"2"',
            bytes: bytesOf("x".repeat(100)),
            breaksAfter: Infinity,
          });
      },
    });
    assert.equal(textOf(disk.files.get("a")), "x".repeat(100));
    assert.equal(requests.length, 3);
  },
);

simulated("download: neither does one that says nothing of versions then", async () => {
  const disk = new MemoryDisk();
  const first: Origin = { bytes: bytesOf(LONG), etag: '"1"', breaksAfter: 30, noLength: true };
  await assert.rejects(fetchOnce(disk, first, { retries: 0 }), Broken);
  const second: Origin = { bytes: bytesOf("x".repeat(64)), etag: null, noConditions: true };
  await fetchOnce(disk, second);
  assert.equal(textOf(disk.files.get("a")), "x".repeat(64));
});

for (const [status, fields, error] of [
  [404, {}, /^the server answered 404 Not Found$/],
  [403, {}, /^the server answered 403 Forbidden$/],
  [206, {}, /^the server answered 206 Partial Content$/],
  [304, {}, /^the server answered 304 Not Modified$/],
  [299, {}, /^the server answered 299$/],
] as const) {
  simulated(`download: ${status} is final`, async () => {
    const disk = new MemoryDisk();
    const origin: Origin = { bytes: bytesOf(""), etag: null, status, fields };
    const start = now();
    await assert.rejects(fetchOnce(disk, origin), { message: error });
    assert.deepEqual([disk.files.size, now()], [0, start]);
  });
}

simulated("download: Retry-After is kept to, unless it is too long", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = {
    bytes: bytesOf(LONG),
    etag: null,
    status: 503,
    fields: { "retry-after": "60" },
  };
  const start = now();
  const before = (request: number): void => {
    if (request === 2) delete origin.status;
  };
  await fetchOnce(disk, origin, { before });
  assert.equal(Math.round((now() - start) / 1000), 60);
  Object.assign(origin, { status: 429, fields: { "retry-after": "3600" } });
  await assert.rejects(fetchOnce(disk, origin), /429/);
  assert.equal(Math.round((now() - start) / 1000), 60);
});

simulated("download: a checksum that is another one: what came is thrown away", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"' };
  const good = await checksumFor(LONG);
  await fetchOnce(disk, origin, { checksum: good });
  assert.equal(textOf(disk.files.get("a")), LONG);
  disk.files.clear();
  origin.bytes = bytesOf(LONG.replace("9", "8"));
  await assert.rejects(
    fetchOnce(disk, origin, { checksum: good }),
    /its sha-256 checksum is .*, and should be/,
  );
  assert.deepEqual([...disk.files.keys()], []);
});

simulated("download: more than was announced is refused", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"' };
  const where = { path: "a", url: URL_OF_IT, resume: true, overwrite: false };
  const target = await openFileTarget(disk, where);
  const progress = new DownloadProgress({ name: "a", url: URL_OF_IT, path: "a" }, () => {});
  const options: DownloadOptions = {
    url: URL_OF_IT,
    checksum: null,
    retries: 0,
    mayPass: () => false,
    reasonOf: (error) => error.message,
    ask: async (_, fields) => {
      const { headers, ...rest } = await ask(origin, fields);
      headers.set("content-length", "50");
      return { ...rest, headers, [Symbol.dispose]() {} };
    },
  };
  await assert.rejects(download(options, target, progress), /more than the 50 bytes/);
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

async function checksumFor(text: string): Promise<Checksum> {
  return await checksumOf(
    "sha-256",
    (async function* () {
      yield bytesOf(text);
    })(),
  );
}
