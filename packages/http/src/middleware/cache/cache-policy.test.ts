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
