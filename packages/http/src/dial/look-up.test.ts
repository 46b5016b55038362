import assert from "node:assert/strict";
import { test } from "node:test";
import { now, run, SystemError } from "arborio";
import { simulate, type SimulatedWorld } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { lookUp } from "./look-up.ts";

function worldTest(title: string, body: (world: SimulatedWorld) => Promise<void>): void {
  for (const seed of [1, 2, 3])
    void test(`${title} [simulator, seed ${seed}]`, () => simulate({ seed }, body));
}

worldTest("lookUp: both families, in turns, IPv6 first", async (world) => {
  world.names.set("a.test", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "fd00::2"]);
  world.names.set("four.test", ["10.0.0.1"]);
  world.names.set("six.test", ["fd00::1"]);
  const mixed = ["fd00::1", "10.0.0.1", "fd00::2", "10.0.0.2", "10.0.0.3"];
  assert.deepEqual(await lookUp("a.test"), mixed);
  assert.deepEqual(await lookUp("four.test"), ["10.0.0.1"]);
  assert.deepEqual(await lookUp("six.test"), ["fd00::1"]);
  assert.deepEqual(await lookUp("localhost"), ["::1", "127.0.0.1"]);
});

worldTest("lookUp: IPv6 is waited for 50 ms once IPv4 is there (RFC 8305 §3)", async (world) => {
  const cases: [ipv4: object, ipv6: object, tookMs: number, found: string[]][] = [
    [{ delayMs: 10 }, { delayMs: Infinity }, 60, ["10.0.0.1"]],
    [{ delayMs: 10 }, { delayMs: 55 }, 55, ["fd00::1", "10.0.0.1"]],
    [{ delayMs: 10 }, { delayMs: 65 }, 60, ["10.0.0.1"]],
    // Without IPv4, all may hang upon IPv6.
    [{ delayMs: 10, fail: "ENOTFOUND" }, { delayMs: 900 }, 900, ["fd00::1"]],
    [{ delayMs: 900 }, { delayMs: 10 }, 900, ["fd00::1", "10.0.0.1"]],
    [{ delayMs: 900 }, { delayMs: 10, fail: "EAI_FAIL" }, 900, ["10.0.0.1"]],
  ];
  for (const [ipv4, ipv6, tookMs, found] of cases) {
    world.names.set("a.test", ["10.0.0.1", "fd00::1"], { ipv4, ipv6 });
    const begun = now();
    assert.deepEqual(await lookUp("a.test"), found);
    assert.ok(Math.abs(now() - begun - tookMs) < 1, `${now() - begun} ms`);
  }
});

worldTest("lookUp: the error says most", async (world) => {
  const fails = async (ipv4: object, ipv6: object, code: string): Promise<void> => {
    world.names.set("a.test", [], { ipv4, ipv6 });
    await assert.rejects(lookUp("a.test"), (error) => {
      assert.ok(error instanceof SystemError);
      assert.equal(error.systemCode, code);
      return true;
    });
  };
  await fails({}, {}, "ENOTFOUND");
  await fails({ fail: "EAI_AGAIN" }, {}, "EAI_AGAIN");
  await fails({}, { fail: "EAI_AGAIN" }, "EAI_AGAIN");
});

worldTest("lookUp: cancelled at every checkpoint", async (world) => {
  world.names.set("a.test", ["10.0.0.1", "fd00::1"], { ipv6: { delayMs: 1000 } });
  await cancelEverywhere(() => lookUp("a.test"));
});

test("lookUp: on this machine", async () => {
  await run(async () => assert.ok((await lookUp("localhost")).length > 0));
});
