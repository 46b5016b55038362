import assert from "node:assert/strict";
import { Cancelled, CancelScope, Event, now, shielded, sleep, taskGroup } from "arborio";
import { cancelEverywhere } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { DnsCache } from "./dns-cache.ts";

const SEEDS = [1, 2, 3];

/** A resolver that needs 100 ms, and what it was asked. */
function slowLookup(asked: string[], addresses: readonly string[] = ["10.0.0.1"]) {
  return async (host: string): Promise<readonly string[]> => {
    asked.push(`${now()} ${host}`);
    await sleep(100);
    return addresses;
  };
}

simTest(
  "DnsCache: what was looked up is kept for dnsTtlMs, then looked up again",
  async () => {
    const asked: string[] = [];
    const cache = new DnsCache({ lookup: slowLookup(asked), dnsTtlMs: 1000 });
    for (const waitMs of [0, 500, 499, 1, 0]) {
      await sleep(waitMs);
      assert.deepEqual(await cache.addressesOf("a.test"), ["10.0.0.1"]);
    }
    // Kept from the answer on, at 100 ms.
    assert.deepEqual(asked, ["0 a.test", "1100 a.test"]);
  },
  SEEDS,
);

simTest(
  "DnsCache: ten seconds by default, for ever, or not at all",
  async () => {
    for (const [dnsTtlMs, lookups] of [
      [undefined, 2],
      [Infinity, 1],
      [0, 3],
    ] as const) {
      const asked: string[] = [];
      const cache = new DnsCache({
        lookup: slowLookup(asked),
        ...(dnsTtlMs === undefined ? {} : { dnsTtlMs }),
      });
      await cache.addressesOf("a.test");
      await sleep(9_800);
      await cache.addressesOf("a.test");
      await sleep(10_000);
      await cache.addressesOf("a.test");
      assert.equal(asked.length, lookups, String(dnsTtlMs));
    }
  },
  SEEDS,
);

simTest(
  "DnsCache: who asks at the same time shares one lookup, and its error, which is not kept",
  async () => {
    let lookups = 0;
    const wrong = new Error("no answer");
    const cache = new DnsCache({
      lookup: async () => {
        lookups += 1;
        await sleep(10);
        if (lookups === 1) throw wrong;
        return ["10.0.0.1"];
      },
    });
    const outcomes: unknown[] = [];
    await taskGroup(async (group) => {
      for (let count = 0; count < 5; count++) {
        group.startSoon(async () => {
          outcomes.push(await cache.addressesOf("a.test").catch((error: unknown) => error));
        });
      }
    });
    assert.deepEqual([lookups, outcomes], [1, [wrong, wrong, wrong, wrong, wrong]]);
    assert.deepEqual(await cache.addressesOf("a.test"), ["10.0.0.1"]);
    assert.equal(lookups, 2);
  },
  SEEDS,
);

simTest(
  "DnsCache: a lookup survives the cancellation of the first who asked, and ends with the last",
  async () => {
    const asked: string[] = [];
    const ended: string[] = [];
    const cache = new DnsCache({
      lookup: async (host) => {
        asked.push(host);
        try {
          await sleep(100);
        } catch (error) {
          await shielded(() => sleep(5));
          ended.push(error instanceof Cancelled ? "cancelled" : String(error));
          throw error;
        }
        ended.push("found");
        return ["10.0.0.1"];
      },
    });
    const [first, second] = [new CancelScope(), new CancelScope()];
    await taskGroup(async (group) => {
      group.startSoon(() => first.run(() => cache.addressesOf("a.test")));
      await sleep(10);
      group.startSoon(async () => {
        await second.run(async () =>
          assert.deepEqual(await cache.addressesOf("a.test"), ["10.0.0.1"]),
        );
        assert.equal(now(), 100);
      });
      await sleep(10);
      first.cancel("enough");
    });
    assert.deepEqual([asked.length, ended], [1, ["found"]]);
    cache.clear();
    // Both: who is cancelled last waits until it is over.
    const both = new CancelScope();
    const begun = now();
    await taskGroup(async (group) => {
      group.startSoon(() =>
        both.run(() =>
          taskGroup(async (asking) => {
            asking.startSoon(() => cache.addressesOf("a.test"));
            await sleep(1);
            await cache.addressesOf("a.test");
          }),
        ),
      );
      await sleep(10);
      both.cancel("enough");
    });
    assert.deepEqual([asked.length, ended], [2, ["found", "cancelled"]]);
    assert.equal(now(), begun + 15);
    assert.deepEqual(await cache.addressesOf("a.test"), ["10.0.0.1"]);
    assert.equal(asked.length, 3);
  },
  SEEDS,
);

simTest(
  "DnsCache: who asks while a lookup that nobody wants cleans up gets a new one",
  async () => {
    let lookups = 0;
    const cache = new DnsCache({
      lookup: async () => {
        lookups += 1;
        try {
          await sleep(100);
        } finally {
          await shielded(() => sleep(50));
        }
        return ["10.0.0.1"];
      },
    });
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      group.startSoon(() => scope.run(() => cache.addressesOf("a.test")));
      await sleep(10);
      scope.cancel("enough");
      await sleep(10);
      assert.deepEqual(await cache.addressesOf("a.test"), ["10.0.0.1"]);
    });
    assert.equal(lookups, 2);
  },
  SEEDS,
);

simTest(
  "DnsCache.clear: forgets, one or all; what is being looked up is given, not kept",
  async () => {
    const asked: string[] = [];
    const cache = new DnsCache({ lookup: slowLookup(asked) });
    await cache.addressesOf("a.test");
    await cache.addressesOf("b.test");
    cache.clear("A.Test");
    assert.equal(cache.size, 1);
    cache.clear();
    assert.equal(cache.size, 0);
    const found = new Event();
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        await cache.addressesOf("a.test");
        found.set();
      });
      await sleep(50);
      cache.clear("a.test");
      await found.wait();
    });
    assert.equal(cache.size, 0);
    assert.equal(asked.length, 3);
  },
  SEEDS,
);

simTest(
  "DnsCache: addresses take turns, each within its family",
  async () => {
    const addresses = ["::1", "1.1.1.1", "::2", "1.1.1.2", "1.1.1.3"];
    const cache = new DnsCache({ lookup: () => addresses });
    const given: string[] = [];
    for (let turn = 0; turn < 7; turn++) given.push((await cache.addressesOf("a.test")).join(" "));
    assert.deepEqual(given.slice(0, 3), [
      "::1 1.1.1.1 ::2 1.1.1.2 1.1.1.3",
      "::2 1.1.1.2 ::1 1.1.1.3 1.1.1.1",
      "::1 1.1.1.3 ::2 1.1.1.1 1.1.1.2",
    ]);
    assert.equal(given[6], given[0]);
    // The list is the resolver's; what it does with it later means nothing.
    addresses.length = 0;
    assert.equal((await cache.addressesOf("a.test")).length, 5);
  },
  [1],
);

simTest(
  "DnsCache: many names, and many addresses of one, are bounded (CVE-2026-34513)",
  async () => {
    let lookups = 0;
    const many = Array.from({ length: 300 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
    const cache = new DnsCache({
      lookup: () => {
        lookups += 1;
        return many;
      },
    });
    for (let at = 0; at < 1100; at++) await cache.addressesOf(`${at}.test`);
    assert.equal(cache.size, 1000);
    assert.equal((await cache.addressesOf("1099.test")).length, 64);
    assert.equal(lookups, 1100);
    await cache.addressesOf("0.test");
    assert.equal(lookups, 1101);
  },
  [1],
);

simTest(
  "DnsCache: numeric addresses are their own",
  async () => {
    const cache = new DnsCache({ lookup: () => assert.fail("looked up") });
    assert.deepEqual(await cache.addressesOf("::1"), ["::1"]);
    assert.deepEqual(await cache.addressesOf("127.0.0.1"), ["127.0.0.1"]);
    assert.equal(cache.size, 0);
  },
  [1],
);

simTest(
  "DnsCache: wrong options and answers are refused",
  async () => {
    const cases: [unknown, RegExp][] = [
      [{ dnsTtlMs: -1 }, /dnsTtlMs: got -1, needs/],
      [{ dnsTtlMs: Number.NaN }, /dnsTtlMs: got NaN/],
      [{ dnsTtlMs: "1" }, /dnsTtlMs: got string/],
      [{ lookup: "1.1.1.1" }, /lookup: got string, needs a function/],
    ];
    for (const [options, message] of cases)
      assert.throws(() => new DnsCache(options as object), { message });
    for (const answer of [["localhost"], "1.1.1.1", undefined, [1], ["127.1"]]) {
      const cache = new DnsCache({ lookup: () => answer as string[] });
      await assert.rejects(cache.addressesOf("a.test"), {
        name: "TypeError",
        message: /^lookup\("a\.test"\): gave .*, needs an array of numeric addresses/,
      });
      assert.equal(cache.size, 0);
    }
  },
  [1],
);

simTest(
  "DnsCache: cancelled at every checkpoint, no lookup goes on",
  async () => {
    await cancelEverywhere(async (round) => {
      let open = 0;
      round.after(() => assert.equal(open, 0));
      const cache = new DnsCache({
        lookup: async () => {
          open += 1;
          try {
            await sleep(10);
            return ["10.0.0.1"];
          } finally {
            open -= 1;
          }
        },
      });
      await taskGroup(async (group) => {
        group.startSoon(() => cache.addressesOf("a.test"));
        await cache.addressesOf("a.test");
      });
      await cache.addressesOf("a.test");
    });
  },
  SEEDS,
);
