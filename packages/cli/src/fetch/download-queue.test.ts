import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DownloadQueue } from "./download-queue.ts";

test("DownloadQueue: the first in order whose host has room", () => {
  const queue = new DownloadQueue(["a1", "a2", "a3", "b1"], {
    hostOf: (item) => item[0] as string,
    concurrency: 3,
    limitPerHost: 2,
  });
  const [a1, a2, b1] = [queue.take(), queue.take(), queue.take()];
  assert.deepEqual([a1?.item, a2?.item, b1?.item], ["a1", "a2", "b1"]);
  b1?.release();
  b1?.release();
  assert.equal(queue.take(), undefined);
  a2?.release();
  assert.equal(queue.take()?.item, "a3");
  a1?.release();
  assert.equal(queue.take(), undefined);
});

test("DownloadQueue: what is over twice leaves room once", () => {
  const options = { hostOf: () => "h", concurrency: 2, limitPerHost: 2 };
  const queue = new DownloadQueue(["a", "b", "c", "d"], options);
  const first = queue.take();
  queue.take();
  first?.release();
  first?.release();
  assert.equal(queue.take()?.item, "c");
  assert.equal(queue.take(), undefined);
});

test("DownloadQueue: no limit is passed, none is left, whatever ends when", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      fc.infiniteStream(fc.nat()),
      (hosts, concurrency, limitPerHost, chance) => {
        const queue = new DownloadQueue(hosts, {
          hostOf: (host) => host,
          concurrency,
          limitPerHost,
        });
        const running: { item: string; release: () => void }[] = [];
        let done = 0;
        for (;;) {
          for (let next = queue.take(); next !== undefined; next = queue.take()) running.push(next);
          assert.ok(running.length <= concurrency);
          for (const host of ["a", "b", "c"])
            assert.ok(running.filter(({ item }) => item === host).length <= limitPerHost);
          if (running.length === 0) break;
          const [over] = running.splice((chance.next().value as number) % running.length, 1);
          over?.release();
          done += 1;
        }
        assert.equal(done, hosts.length);
      },
    ),
  );
});
