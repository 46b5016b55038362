import assert from "node:assert/strict";
import { test } from "node:test";
import { now } from "arborio";
import { simulate } from "arborio/sim";
import { failedIn } from "./raw-server.test.kit.ts";
import { openHttpClient } from "./http-client.ts";

void test("trace: who watches look-ups does not change them: a resolver that is silent about IPv6 is not waited for", async () => {
  await simulate({ seed: 1 }, async (world) => {
    world.names.set("a.test", ["10.0.0.1", "fd00::1"], {
      ipv4: { delayMs: 10 },
      ipv6: { delayMs: Infinity },
    });
    const start = now();
    const found: unknown[] = [];
    const lookupEnd = (_host: string, addresses: readonly string[] | null): void => {
      found.push(addresses, Math.round(now() - start));
    };
    await using client = openHttpClient({ trace: { lookupEnd }, timeouts: { connectMs: 5000 } });
    await assert.rejects(client.request("http://a.test/"), failedIn("connect", "unreachable"));
    assert.deepEqual(found, [["10.0.0.1"], 60]);
  });
});
