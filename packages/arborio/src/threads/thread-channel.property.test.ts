/**
 * Random producers and consumers of one channel on several threads, that wait, block, give up and try again, and close: every item is received
 * exactly once, in the order in which its producer sent it, and never are more buffered than there is room for.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CapacityLimiter, moveOnAfter, run, taskGroup } from "../index.ts";
import { simulator } from "../sim.ts";
import {
  createThreadChannel,
  moduleAt,
  runInThread,
  type ThreadReceiveChannel,
  type ThreadSendChannel,
} from "../threads.ts";
import { kitUrl } from "./on-threads.test.kit.ts";
import type * as Kit from "./thread-channel.test.kit.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# thread-channel.property: seed ${printedSeed}`);

const kit = moduleAt<typeof Kit>(kitUrl("thread-channel"));

type ProducerKind = "here" | "hereImpatiently" | "produce" | "produceSync" | "produceImpatiently";
type ConsumerKind =
  | "here"
  | "hereImpatiently"
  | "consume"
  | "consumeImpatiently"
  | "consumeSync"
  | "consumeSyncImpatiently";

interface Scenario {
  readonly capacity: number;
  readonly producers: readonly { readonly kind: ProducerKind; readonly count: number }[];
  readonly consumers: readonly ConsumerKind[];
  /** Consumers that close their ends after so many items. */
  readonly leaving: readonly number[];
}

const ASYNC_PRODUCERS = ["here", "hereImpatiently", "produce", "produceImpatiently"] as const;
const ASYNC_CONSUMERS = ["here", "hereImpatiently", "consume", "consumeImpatiently"] as const;

function scenarios(
  producers: readonly ProducerKind[],
  consumers: readonly ConsumerKind[],
): fc.Arbitrary<Scenario> {
  return fc.record({
    capacity: fc.nat({ max: 4 }),
    producers: fc.array(
      fc.record({ kind: fc.constantFrom(...producers), count: fc.nat({ max: 30 }) }),
      { minLength: 1, maxLength: 3 },
    ),
    consumers: fc.array(fc.constantFrom(...consumers), { minLength: 1, maxLength: 2 }),
    leaving: fc.array(fc.nat({ max: 10 }), { maxLength: 1 }),
  });
}

async function produceHere(
  sender: ThreadSendChannel<string>,
  who: string,
  count: number,
  patienceMs: number,
): Promise<void> {
  using _closing = sender;
  for (let n = 0; n < count;) {
    const sent = await moveOnAfter(n % 2 === 0 ? patienceMs : Infinity, async () => {
      await sender.send(`${who} ${n}`);
      return true;
    });
    if (sent === true) n++;
  }
}

async function consumeHere(
  receiver: ThreadReceiveChannel<string>,
  capacity: number,
  patienceMs: number,
): Promise<string[]> {
  using _closing = receiver;
  const got: string[] = [];
  for (let round = 0; ; round++) {
    const next = await moveOnAfter(round % 2 === 0 ? patienceMs : Infinity, async () => {
      const { done, value } = await receiver[Symbol.asyncIterator]().next();
      return { done, value };
    });
    assert.ok(receiver.statistics().currentBufferUsed <= capacity);
    if (next?.done === true) return got;
    if (next?.value !== undefined) got.push(next.value);
  }
}

async function play({ capacity, producers, consumers, leaving }: Scenario): Promise<void> {
  const [sender, receiver] = createThreadChannel<string>(capacity);
  const limiter = new CapacityLimiter(8);
  const received: string[][] = [];
  await taskGroup(async (group) => {
    const collect = (fn: () => Promise<string[]>): void =>
      void group.startSoon(async () => void received.push(await fn()));
    for (const count of leaving) {
      const end = receiver.clone();
      collect(() => runInThread(kit, "consumeSome", { args: [end, count], limiter }));
    }
    for (const kind of consumers) {
      const end = receiver.clone();
      if (kind === "here") collect(() => consumeHere(end, capacity, Infinity));
      else if (kind === "hereImpatiently") collect(() => consumeHere(end, capacity, 0.1));
      else collect(() => runInThread(kit, kind, { args: [end], limiter }));
    }
    for (const [index, { kind, count }] of producers.entries()) {
      const end = sender.clone();
      const who = `p${index}`;
      group.startSoon(async () => {
        if (kind === "here") await produceHere(end, who, count, Infinity);
        else if (kind === "hereImpatiently") await produceHere(end, who, count, 0.1);
        else await runInThread(kit, kind, { args: [end, who, count], limiter });
      });
    }
    sender.close();
    receiver.close();
  });
  check(producers, received);
}

function check(producers: Scenario["producers"], received: readonly (readonly string[])[]): void {
  const sent = producers.flatMap(({ count }, index) =>
    Array.from({ length: count }, (_, n) => `p${index} ${n}`),
  );
  assert.deepEqual(received.flat().sort(), sent.sort());
  for (const items of received) {
    const last: Map<string, number> = new Map();
    for (const item of items) {
      const [who = "", n = ""] = item.split(" ");
      assert.ok(Number(n) > (last.get(who) ?? -1), `${item} came after ${last.get(who)}`);
      last.set(who, Number(n));
    }
  }
}

test("thread channel, property: on real threads every item comes exactly once, in order", async () => {
  const scenario = scenarios(
    [...ASYNC_PRODUCERS, "produceSync"],
    [...ASYNC_CONSUMERS, "consumeSync", "consumeSyncImpatiently"],
  );
  await fc.assert(
    fc.asyncProperty(scenario, (one) => run(() => play(one))),
    { seed: printedSeed, numRuns: 25, endOnFailure: true },
  );
});

test("thread channel, property: on simulated threads, too", async () => {
  const scenario = scenarios(ASYNC_PRODUCERS, ASYNC_CONSUMERS);
  await fc.assert(
    fc.asyncProperty(scenario, fc.nat(), (one, seed) =>
      run(() => play(one), { backend: simulator({ seed }) }),
    ),
    { seed: printedSeed, numRuns: 50, endOnFailure: true },
  );
});
