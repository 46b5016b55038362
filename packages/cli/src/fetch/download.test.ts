import assert from "node:assert/strict";
import { now } from "arborio";
import {
  bytesOf,
  fetchOnce,
  LONG,
  simulated,
  textOf,
  URL_OF_IT,
} from "../testing/download-once.test.kit.ts";
import { ask, Broken, type Origin } from "../testing/fake-origin.test.kit.ts";
import { MemoryDisk } from "../testing/memory-disk.test.kit.ts";
import { type Checksum, checksumOf } from "./checksum.ts";
import { download, type DownloadOptions } from "./download.ts";
import { DownloadProgress } from "./download-progress.ts";
import { openFileTarget } from "./file-target.ts";

simulated("download: a file, which is there under its name only when it is complete", async () => {
  const disk = new MemoryDisk();
  const origin: Origin = { bytes: bytesOf(LONG), etag: '"1"' };
  const { requests, progress } = await fetchOnce(disk, origin);
  assert.deepEqual([...disk.files.keys()], ["a"]);
  assert.equal(textOf(disk.files.get("a")), LONG);
  assert.deepEqual(requests, [{}]);
  assert.deepEqual([progress.receivedBytes, progress.totalBytes], [100, 100]);
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

async function checksumFor(text: string): Promise<Checksum> {
  return await checksumOf(
    "sha-256",
    (async function* () {
      yield bytesOf(text);
    })(),
  );
}
