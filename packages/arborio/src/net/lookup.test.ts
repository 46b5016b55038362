import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { SystemError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { FakeNetwork, type NetworkScript } from "./fake-network.test.kit.ts";
import { lookup, type LookupOptions } from "./lookup.ts";

const test = onEveryBackend(runnerTest);
const scripted = {
  skip: { backend: "host", reason: "the network is a script in virtual time" },
} as const;

function useFake(script: NetworkScript): FakeNetwork {
  const network = new FakeNetwork(script);
  setBackend(ambientScope(), { ...currentBackend(), network });
  return network;
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SystemError && error.systemCode === code;
}

test("lookup: the addresses of a name", async () => {
  const addresses = await lookup("localhost");
  assert.ok(addresses.includes("127.0.0.1"), String(addresses));
  assert.deepEqual(await lookup("localhost", { family: 4 }), ["127.0.0.1"]);
});

test("lookup: numeric addresses are their own answer, with their scope; also a checkpoint", async () => {
  for (const address of ["127.0.0.1", "::1", "fe80::1%eth0", "0.0.0.0"])
    assert.deepEqual(await assertCheckpoints(() => lookup(address)), [address]);
  assert.deepEqual(await lookup("::1", { family: 6 }), ["::1"]);
  await assert.rejects(lookup("::1", { family: 4 }), hasCode("ENOTFOUND"));
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(() => lookup("127.0.0.1"));
  assert.ok(scope.cancelledCaught);
});

test("lookup: an unknown name is ENOTFOUND", async () => {
  await assert.rejects(lookup("no-such-name.invalid"), hasCode("ENOTFOUND"));
  await assert.rejects(
    lookup("no-such-name.invalid", { family: 6 }),
    /look up no-such-name\.invalid: .*ENOTFOUND/,
  );
});

test("lookup: what cannot be a name is refused, and the message says what is needed", async () => {
  const cases: [host: unknown, message: RegExp][] = [
    ["", /lookup: got "", needs a name such as "example\.com"/],
    ["a b", /got "a b"/],
    ["a\0b", /needs a name/],
    ["a\nb", /needs a name/],
    ["[::1]", /without the brackets/],
    ["example.com:80", /the port is an argument of its own/],
    ["http://example.com/", /new URL\(text\)\.hostname/],
    ["user@example.com", /needs a name/],
    ["a%b", /needs a name/],
    [`${"a".repeat(60)}.`.repeat(4) + "a".repeat(10), /a name of 254 characters .*at most 253/],
    [undefined, /got undefined, needs a name or numeric address/],
    [80, /got 80/],
  ];
  for (const [host, message] of cases) {
    const expected = typeof host === "string" ? RangeError : TypeError;
    await assert.rejects(lookup(host as string), (error) => {
      assert.ok(error instanceof expected, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  await assert.rejects(lookup("localhost", { family: 5 as never }), /needs 4 or 6/);
});

test(
  "lookup: a name of 253 characters is asked for, also with the dot at its end",
  async () => {
    const name = `${"a".repeat(60)}.`.repeat(4) + "a".repeat(9);
    assert.equal(name.length, 253);
    useFake({ lookup: { 4: { afterMs: 1, addresses: ["1.1.1.1"] } } });
    assert.deepEqual(await lookup(name), ["1.1.1.1"]);
    assert.deepEqual(await lookup(`${name}.`), ["1.1.1.1"]);
  },
  scripted,
);

test(
  "lookup: letters beyond ASCII get the form that browsers give them",
  async () => {
    const asked: string[] = [];
    const network = useFake({});
    network.lookup = (host, _family, completion) => {
      asked.push(host);
      return FakeNetwork.prototype.lookup.call(network, host, 4, completion);
    };
    for (const name of [
      "bücher.example",
      "日本.jp",
      "BÜCHER.example",
      "xn--bcher-kva.example",
      "under_score.example",
    ])
      await assert.rejects(lookup(name, { family: 4 }), hasCode("ENOTFOUND"));
    assert.deepEqual(asked, [
      "xn--bcher-kva.example",
      "xn--wgv71a.jp",
      "xn--bcher-kva.example",
      "xn--bcher-kva.example",
      "under_score.example",
    ]);
    await assert.rejects(lookup("ä\u200d%.example"), RangeError);
    await assert.rejects(lookup("ex\u2100ample.com"), /needs a name that has a form in ASCII/);
  },
  scripted,
);

test(
  "lookup: both families are asked for at the same time; the answer has the families in turns, each address once",
  async () => {
    const network = useFake({
      lookup: {
        6: { afterMs: 30, addresses: ["::1", "::2", "::1"] },
        4: { afterMs: 10, addresses: ["1.1.1.1", "2.2.2.2", "3.3.3.3"] },
      },
    });
    assert.deepEqual(await lookup("name.test"), ["::1", "1.1.1.1", "::2", "2.2.2.2", "3.3.3.3"]);
    assert.deepEqual(
      network.log.map((line) => line.split(" ").slice(1).join(" ")),
      ["lookup 6", "lookup 4"],
    );
    assert.equal(ambientScope().kernel.now(), 30);
  },
  scripted,
);

test(
  "lookup: what one family knows is the answer; the error that says most comes out if none knows anything",
  async () => {
    const cases: [NetworkScript["lookup"], string][] = [
      [
        { 4: { afterMs: 1, addresses: ["1.1.1.1"] }, 6: { afterMs: 2, code: "EAI_AGAIN" } },
        "1.1.1.1",
      ],
      [{ 6: { afterMs: 1, addresses: ["::1"] } }, "::1"],
      [{}, "ENOTFOUND"],
      [{ 4: { afterMs: 1, code: "EAI_AGAIN" } }, "EAI_AGAIN"],
      [{ 6: { afterMs: 1, code: "EAI_FAIL" } }, "EAI_FAIL"],
      [{ 4: { afterMs: 1, addresses: [] } }, "ENOTFOUND"],
      [{ 4: { afterMs: 1, addresses: [] }, 6: { afterMs: 1, addresses: [] } }, "ENOTFOUND"],
    ];
    for (const [script, expected] of cases) {
      useFake(script === undefined ? {} : { lookup: script });
      const outcome = await lookup("name.test").catch((error: SystemError) => error.systemCode);
      assert.deepEqual(outcome, expected.startsWith("E") ? expected : [expected]);
    }
  },
  scripted,
);

test(
  "lookup: cancelled at every checkpoint, nothing is asked for any more",
  async () => {
    const options: LookupOptions[] = [{}, { family: 6 }];
    for (const one of options) {
      await cancelEverywhere(async (round) => {
        const network = useFake({
          lookup: { 6: { afterMs: 20, addresses: ["::1"] }, 4: { afterMs: 5, code: "EAI_FAIL" } },
        });
        round.after(() => assert.deepEqual([...network.open], []));
        await lookup("name.test", one);
      });
    }
  },
  scripted,
);

test("lookup: cancelled at every checkpoint of the system's own", async () => {
  await cancelEverywhere(() => lookup("localhost"));
});
