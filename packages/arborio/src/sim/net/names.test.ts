import assert from "node:assert/strict";
import { test } from "node:test";
import type { NameOptions } from "./names.ts";
import { TestNetwork } from "./fabric.test.kit.ts";

/** `"10.0.0.1"`, `"ENOTFOUND"`, with the milliseconds that it took. */
function ask(network: TestNetwork, name: string, family: 4 | 6): [answer: string, ms: number] {
  const startUs = network.clock.nowUs;
  const outcome = network.begin<readonly string[]>((completion) =>
    network.internet.names.lookup(name, family, completion),
  );
  network.settle();
  const answer = outcome.error?.systemCode ?? outcome.value?.join(" ") ?? "";
  return [answer, ((outcome.at as number) - startUs) / 1000];
}

function answers(options: NameOptions): Record<4 | 6, [string, number]> {
  const network = new TestNetwork({ latencyMs: [1, 1] });
  network.internet.names.set("db.test", ["10.0.0.2", "fd00:0::2", "10.0.0.3"], options);
  return { 4: ask(network, "db.test", 4), 6: ask(network, "db.test", 6) };
}

test("simulated names: each family's addresses, in order, after a round trip; unknown names are ENOTFOUND", () => {
  assert.deepEqual(answers({}), { 4: ["10.0.0.2 10.0.0.3", 2], 6: ["fd00::2", 2] });
  const network = new TestNetwork();
  assert.equal(ask(network, "unknown.test", 4)[0], "ENOTFOUND");
});

test("simulated names: slow answers, wrong answers, no answers, also of one family alone", () => {
  assert.deepEqual(answers({ delayMs: 30 }), { 4: ["10.0.0.2 10.0.0.3", 30], 6: ["fd00::2", 30] });
  assert.deepEqual(answers({ fail: "EAI_AGAIN" }), { 4: ["EAI_AGAIN", 2], 6: ["EAI_AGAIN", 2] });
  assert.deepEqual(answers({ ipv6: { delayMs: 500, fail: "EAI_FAIL" } }), {
    4: ["10.0.0.2 10.0.0.3", 2],
    6: ["EAI_FAIL", 500],
  });
  assert.deepEqual(answers({ ipv4: { delayMs: Infinity } }), {
    4: ["EAI_AGAIN", 10_000],
    6: ["fd00::2", 2],
  });
});

test("simulated names: localhost is always itself, numeric addresses are their own answer", () => {
  const network = new TestNetwork();
  assert.deepEqual(ask(network, "localhost", 4), ["127.0.0.1", 0.001]);
  assert.deepEqual(ask(network, "db.LocalHost.", 6), ["::1", 0.001]);
  assert.deepEqual(ask(network, "10.1.2.3", 4), ["10.1.2.3", 0.001]);
  assert.deepEqual(ask(network, "10.1.2.3", 6), ["ENOTFOUND", 0.001]);
});

test("simulated names: upper case and a dot at the end make no difference; set replaces, delete forgets", () => {
  const network = new TestNetwork();
  const { names } = network.internet;
  names.set("DB.test", ["10.0.0.1"]);
  assert.equal(ask(network, "db.TEST.", 4)[0], "10.0.0.1");
  names.set("db.test", ["10.0.0.2"]);
  assert.equal(ask(network, "db.test", 4)[0], "10.0.0.2");
  assert.equal(ask(network, "db.test", 6)[0], "ENOTFOUND");
  names.delete("db.test.");
  assert.equal(ask(network, "db.test", 4)[0], "ENOTFOUND");
});

test("simulated names: wrong arguments are refused", () => {
  const { names } = new TestNetwork().internet;
  assert.throws(() => names.set("", []), /world\.names\.set: got "", needs a name/);
  assert.throws(() => names.set("a", ["b"]), /world\.names\.set\("a"\): got "b", needs numeric/);
  assert.throws(() => names.set("a", [], { delayMs: Number.NaN }), /delayMs/);
});

test("simulated names: a question that is withdrawn is not answered", () => {
  const network = new TestNetwork();
  const outcome = network.begin((completion) => network.internet.names.lookup("a", 4, completion));
  outcome.withdraw();
  network.settle();
  assert.equal(outcome.at, undefined);
});
