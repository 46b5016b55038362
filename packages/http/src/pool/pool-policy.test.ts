/** What the policy decides, by hand, and its invariants under random events. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type KeyCounts, PASSED_OVER_MAX, PoolPolicy } from "./pool-policy.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# pool-policy: seed ${printedSeed}`);

class Key implements KeyCounts<Key> {
  readonly name: string;
  slots = 0;
  idle = 0;
  waiting = 0;
  isStarved = false;
  before: Key | null = null;
  after: Key | null = null;

  constructor(name: string) {
    this.name = name;
  }
}

function policyOf(connectionsMax: number, originConnectionsMax = Infinity): PoolPolicy<Key> {
  return new PoolPolicy({ connectionsMax, originConnectionsMax });
}

void describe("PoolPolicy", () => {
  const a = (): Key => new Key("a");

  void test("admits up to the limit of a key, and up to that of all", () => {
    const policy = policyOf(3, 2);
    const [one, other] = [a(), a()];
    assert.equal(policy.admit(one), "open");
    assert.equal(policy.admit(one), "open");
    assert.equal(policy.admit(one), "wait");
    assert.equal(policy.admit(other), "open");
    assert.equal(policy.admit(other), "wait");
    assert.deepEqual([policy.slots, one.slots, other.slots], [3, 2, 1]);
  });

  void test("asks to evict an idle connection of another key, or of the same one if that is at its limit", () => {
    const policy = policyOf(2, 2);
    const [one, other] = [a(), a()];
    policy.admit(one);
    policy.admit(one);
    assert.equal(policy.returned(one), "keep");
    assert.equal(policy.admit(other), "evict");
    assert.equal(policy.admit(one), "evict own");
    policy.lent(one);
    policy.freed(one);
    assert.equal(policy.admit(other), "open");
    assert.equal(policy.admit(other), "wait");
  });

  void test("a slot that is free goes to starved keys in turns, whoever came how often", () => {
    const policy = policyOf(1);
    const keys = [new Key("many"), new Key("one")] as const;
    const busy = a();
    policy.admit(busy);
    for (let count = 0; count < 3; count++) policy.joined(keys[0]);
    policy.joined(keys[1]);
    const served: string[] = [];
    let last = busy;
    for (let count = 0; count < 4; count++) {
      policy.freed(last);
      last = policy.next() as Key;
      served.push(last.name);
      assert.equal(policy.next(), null);
    }
    assert.deepEqual(served, ["many", "one", "many", "many"]);
  });

  void test("a key at its own limit does not stand before those that any slot would serve", () => {
    const policy = policyOf(2, 1);
    const [limited, other] = [new Key("limited"), new Key("other")];
    const third = new Key("third");
    policy.admit(limited);
    policy.admit(third);
    policy.joined(limited);
    policy.joined(other);
    policy.freed(third);
    assert.equal(policy.next(), other);
    assert.equal(policy.next(), null);
    policy.freed(limited);
    assert.equal(policy.next(), limited);
  });

  void test(`a starved key is passed over ${PASSED_OVER_MAX} times by a busy one, not more; then the count begins anew`, () => {
    const policy = policyOf(1);
    const [busy, starved] = [a(), a()];
    policy.admit(busy);
    for (let count = 0; count < 100; count++) policy.joined(busy);
    // Those who were served when nobody was starved do not count.
    for (let count = 0; count < 30; count++) assert.equal(policy.returned(busy), "hand over");
    policy.joined(starved);
    policy.joined(starved);
    // It was in need of slots before, so it has its turn first.
    for (let count = 0; count < 1 + PASSED_OVER_MAX; count++)
      assert.equal(policy.returned(busy), "hand over");
    assert.equal(policy.returned(busy), "close");
    policy.freed(busy);
    assert.equal(policy.next(), starved);
    // Now the busy one is starved.
    assert.equal(policy.returned(starved), "hand over");
    assert.equal(policy.returned(starved), "close");
    policy.freed(starved);
    assert.equal(policy.next(), busy);
  });

  void test("a connection that nobody of its key waits for gives its slot to who is starved", () => {
    const policy = policyOf(1);
    const [one, other] = [a(), a()];
    policy.admit(one);
    policy.joined(other);
    assert.equal(policy.returned(one), "close");
    policy.freed(one);
    assert.equal(policy.next(), other);
    assert.equal(policy.returned(other), "keep");
  });

  void test("who leaves is not served, and takes his key's turn with him if he is its last", () => {
    const policy = policyOf(1);
    const [one, other, third] = [a(), a(), a()];
    policy.admit(one);
    policy.joined(other);
    policy.joined(third);
    policy.left(other);
    policy.freed(one);
    assert.equal(policy.next(), third);
    assert.equal(policy.waiting, 0);
  });
});

type Event = readonly [kind: number, key: number];

void test("PoolPolicy: whatever happens, no limit is passed, nobody waits beside what he could have, and counts agree", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 3 })), { maxLength: 150, size: "max" }),
      (connectionsMax, originConnectionsMax, events: Event[]) => {
        const keys = ["a", "b", "c", "d"].map((name) => new Key(name));
        const policy = policyOf(connectionsMax, originConnectionsMax);
        const passed = new Map<Key, number>();
        for (const [kind, index] of events) {
          const key = keys[index] as Key;
          const served = happen(policy, keys, kind, key);
          requireInvariants(policy, keys, connectionsMax, originConnectionsMax);
          requireFair(keys, served, passed);
        }
      },
    ),
    { seed: printedSeed, numRuns: 5000 },
  );
});

/** Lets one thing happen. @returns whose waiters were served. */
function happen(policy: PoolPolicy<Key>, keys: readonly Key[], kind: number, key: Key): Key[] {
  const served: Key[] = [];
  const free = (of: Key): void => {
    policy.freed(of);
    for (let next = policy.next(); next !== null; next = policy.next()) served.push(next);
  };
  const evict = (of: Key): void => {
    policy.lent(of);
    free(of);
    assert.deepEqual(served, [], "an eviction serves somebody else");
  };
  if (kind <= 4) {
    if (key.idle > 0 && kind !== 4) {
      assert.equal(key.waiting, 0, "somebody is overtaken");
      policy.lent(key);
      return served;
    }
    for (;;) {
      const admission = policy.admit(key);
      if (admission === "evict") evict(keys.find((other) => other.idle > 0) as Key);
      else if (admission === "evict own") evict(key);
      else {
        if (admission === "wait") policy.joined(key);
        return served;
      }
    }
  }
  if (kind <= 7) {
    if (key.slots - key.idle === 0) return served;
    const what = policy.returned(key);
    if (what === "close") free(key);
    else if (what === "hand over") served.push(key);
  } else if (kind === 8) {
    if (key.slots === 0) return served;
    if (key.idle > 0) policy.lent(key);
    free(key);
  } else if (key.waiting > 0) policy.left(key);
  return served;
}

function requireInvariants(
  policy: PoolPolicy<Key>,
  keys: readonly Key[],
  connectionsMax: number,
  originConnectionsMax: number,
): void {
  const sum = (what: "slots" | "idle" | "waiting"): number =>
    keys.reduce((total, key) => total + key[what], 0);
  assert.equal(policy.slots, sum("slots"));
  assert.equal(policy.idle, sum("idle"));
  assert.equal(policy.waiting, sum("waiting"));
  assert.ok(policy.slots <= connectionsMax);
  for (const key of keys) {
    assert.ok(key.slots <= originConnectionsMax && key.idle <= key.slots && key.idle >= 0);
    const isHeldUpByAll = key.waiting > 0 && key.slots < originConnectionsMax;
    assert.equal(key.isStarved, isHeldUpByAll);
    if (key.waiting > 0) assert.equal(key.idle, 0);
    if (isHeldUpByAll) assert.ok(policy.slots === connectionsMax && policy.idle === 0);
  }
}

/** Who is starved is not passed over for ever: so often at most for each that is starved before him. */
function requireFair(keys: readonly Key[], served: readonly Key[], passed: Map<Key, number>): void {
  for (const key of keys) {
    const others = served.filter((other) => other !== key).length;
    if (!key.isStarved || served.includes(key)) passed.set(key, 0);
    else passed.set(key, (passed.get(key) ?? 0) + others);
    assert.ok((passed.get(key) ?? 0) <= keys.length * (PASSED_OVER_MAX + 1), "a key is starved");
  }
}
