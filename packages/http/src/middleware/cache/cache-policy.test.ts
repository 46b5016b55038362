import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep } from "arborio";
import { wallNow } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { CachePolicy } from "./cache-policy.ts";

test("CachePolicy: max-age=0 asks, also in the instant in which the response came", async () => {
  await run(
    async () => {
      const fields = ["cache-control", "max-age=10, stale-while-revalidate=10"];
      const head = {
        status: 200,
        reason: "",
        version: "1.1",
        fields,
        requestedAt: wallNow(),
      } as const;
      const policy = new CachePolicy(head);
      assert.equal(policy.ageSeconds, 0);
      assert.equal(policy.useFor(new Map()), "now");
      assert.equal(policy.useFor(new Map([["max-age", 0]])), "after-asking");
      assert.equal(policy.useFor(new Map([["no-cache", true as const]])), "after-asking");
      await sleep(10_000);
      assert.equal(policy.useFor(new Map()), "meanwhile");
      assert.equal(policy.freshSeconds, 0);
      await sleep(10_000);
      assert.equal(policy.useFor(new Map()), "after-asking");
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});

/** In virtual time. */
async function simulated(body: () => void): Promise<void> {
  await run(body, { signals: [], backend: simulator({ seed: 1 }) });
}

test("CachePolicy: what comes from the future is asked about: the clock was set back", async () => {
  await simulated(() => {
    const fields = ["cache-control", "max-age=10"];
    const use = (ms: number): string =>
      new CachePolicy({
        status: 200,
        reason: "",
        version: "1.1",
        fields,
        requestedAt: wallNow() + ms,
      }).useFor(new Map());
    assert.deepEqual(
      [use(1), use(86_400_000), use(0), use(-9999)],
      ["after-asking", "after-asking", "now", "now"],
    );
  });
});

test("CachePolicy: an age that is none makes nothing younger", async () => {
  await simulated(() => {
    for (const [age, seconds] of [
      ["5", 5],
      ["5, 9", 5],
      ["-5", 0],
      ["+5", 0],
      ["old", 0],
      ["", 0],
      ["0x5", 0],
      ["99999999999999999999", 1e20],
    ] as const) {
      const head = { status: 200, reason: "", version: "1.1", requestedAt: wallNow() } as const;
      assert.equal(new CachePolicy({ ...head, fields: ["age", age] }).ageSeconds, seconds, age);
    }
  });
});
