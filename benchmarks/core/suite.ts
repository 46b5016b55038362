/** The suite `core`: tasks, scopes, time, channels, locks, beside raw promises, Effect, Effection and Python's libraries. */
import { casesBeside } from "../harness/case-files.ts";
import type { Amount, Bench, StaticBench, Suite, TimedBench } from "../harness/suite.ts";
import { minimalSize, wholeSize } from "./size.ts";

const { script, python } = casesBeside(import.meta.url);

const subjects = [
  script("arborio"),
  script("promise"),
  script("effect", "effect"),
  script("effection", "effection"),
  python("asyncio"),
  python("uvloop", "uvloop"),
  python("anyio-asyncio", "anyio"),
  python("anyio-uvloop", "anyio", "uvloop"),
  python("anyio-trio", "anyio", "trio"),
  python("trio", "trio"),
];

const ASYNCIO = ["asyncio", "uvloop"];
const NURSERIES = ["anyio-asyncio", "anyio-uvloop", "anyio-trio", "trio"];
const EVERYONE = subjects.map(({ name }) => name);
const without = (...names: string[]): string[] => EVERYONE.filter((name) => !names.includes(name));

/** The same amount for each Python subject. CPython does not optimise while it runs: a little warm-up is enough. */
function pythonAmounts(ops: number, more?: Partial<Amount>): Record<string, Partial<Amount>> {
  const amount = { ops, warmUpOps: 500, samplesMax: 3, ...more };
  return Object.fromEntries([...ASYNCIO, ...NURSERIES].map((name) => [name, amount]));
}

const KB = 1000;
const KIB = 1024;

/** How much more an operation may cost among ten times as many, to count as linear. */
const LINEAR_RATIO_MAX = 1.3;

const tasks: TimedBench[] = [
  {
    kind: "timed",
    name: "spawn",
    what: "start a task with one checkpoint and join it, 100,000 in one group",
    unit: "ns",
    subjects: EVERYONE,
    amount: { ops: 100_000 },
    amounts: { effection: { ops: 5000 }, ...pythonAmounts(100_000) },
    targets: [
      { kind: "timesPeer", peer: "anyio-uvloop", ratioMin: 12 },
      { kind: "timesPeer", peer: "trio", ratioMin: 7 },
      { kind: "timesPeer", peer: "effect", ratioMin: 1.5 },
    ],
    notes: [
      "promise: no group, no cancellation",
      "effection: 5,000 tasks, each waits for a resolved promise",
    ],
  },
  {
    kind: "timed",
    name: "spawn-fiberset",
    what: "the same beside Effect's quickest way, a FiberSet",
    unit: "ns",
    subjects: ["arborio", "effect"],
    amount: { ops: 100_000 },
    targets: [],
    notes: ["effect: a FiberSet starts each fiber at once, inside the call; ours never do"],
  },
  {
    kind: "timed",
    name: "cancel",
    what: "cancel a waiting task and join it, 100,000 in one group",
    unit: "ns",
    subjects: EVERYONE,
    amount: { ops: 100_000 },
    amounts: {
      effection: { ops: 5000, warmUpOps: 200 },
      ...pythonAmounts(100_000, { roundsMax: 2 }),
    },
    targets: [
      { kind: "timesPeer", peer: "trio", ratioMin: 10 },
      { kind: "timesPeer", peer: "effect", ratioMin: 1 },
    ],
    notes: [
      "promise: one AbortSignal with one listener that rejects every waiter",
      "arborio: the task is sleepForever itself, as effect's is Effect.never; in an async function around it, each task also unwinds that function",
      "effection: 5,000 tasks",
    ],
  },
  {
    kind: "timed",
    name: "cancel-1m",
    what: "the same with 1,000,000 tasks",
    unit: "ns",
    subjects: ["arborio"],
    amount: { ops: 1_000_000, warmUpOps: 10_000, samplesMax: 1, roundsMax: 2 },
    targets: [{ kind: "timesBench", bench: "cancel", ratioMin: 0.7, ratioMax: LINEAR_RATIO_MAX }],
  },
  {
    kind: "timed",
    name: "memory",
    what: "memory of a waiting task, of 100,000",
    unit: "B",
    subjects: EVERYONE,
    amount: { ops: 100_000, warmUpOps: 5000, samplesMax: 2 },
    amounts: {
      effection: { ops: 5000, warmUpOps: 200, samplesMax: 1 },
      ...pythonAmounts(30_000, { samplesMax: 1 }),
    },
    targets: [{ kind: "atMost", value: 1.2 * KIB }],
    notes: [
      "scripts: growth of the live heap after full collections",
      "Python: growth of the resident set",
    ],
  },
  {
    kind: "timed",
    name: "memory-1m",
    what: "memory of a waiting task, of 1,000,000",
    unit: "B",
    subjects: ["arborio"],
    amount: { ops: 1_000_000, warmUpOps: 5000, samplesMax: 1, roundsMax: 1 },
    targets: [{ kind: "atMost", value: 1.2 * KIB }],
  },
];

const checkpoints: TimedBench[] = [
  {
    kind: "timed",
    name: "checkpoint",
    what: "a checkpoint that does not wait, under a far deadline",
    unit: "ns",
    subjects: ["arborio", "promise", ...NURSERIES],
    amount: { ops: 1_000_000 },
    amounts: pythonAmounts(50_000),
    targets: [{ kind: "atMost", value: 60 }],
    notes: [
      "arborio: the entry check of every operation, lowlevel.checkpointIfCancelled()",
      "promise: signal.throwIfAborted()",
      "effect, effection, asyncio: no such operation",
    ],
  },
  {
    kind: "timed",
    name: "checkpoint-yield",
    what: "a checkpoint that lets other tasks run",
    unit: "ns",
    subjects: EVERYONE,
    amount: { ops: 100_000 },
    amounts: { effect: { ops: 50_000 }, effection: { ops: 20_000 }, ...pythonAmounts(50_000) },
    targets: [],
    notes: [
      "promise: await null",
      "effection: waits for a resolved promise",
      "effect: each yield is a host turn",
    ],
  },
  {
    kind: "timed",
    name: "await",
    what: "await null inside a scope; promise: outside",
    unit: "ns",
    subjects: ["arborio", "promise"],
    amount: { ops: 1_000_000, warmUpOps: 1_000_000, samplesMax: 15 },
    targets: [{ kind: "timesOfPeer", peer: "promise", ratioMax: 1.05 }],
  },
  {
    kind: "timed",
    name: "timeout",
    what: "enter and leave a timeout round a checkpoint",
    unit: "ns",
    subjects: EVERYONE,
    amount: { ops: 100_000 },
    amounts: { effect: { ops: 30_000 }, effection: { ops: 1500 }, ...pythonAmounts(20_000) },
    targets: [
      { kind: "timesPeer", peer: "anyio-uvloop", ratioMin: 6 },
      { kind: "timesPeer", peer: "effect", ratioMin: 5 },
    ],
    notes: ["promise: Promise.race with a timer, cancels nothing", "effection: race with sleep"],
  },
];

const exchange: TimedBench[] = [
  {
    kind: "timed",
    name: "rendezvous",
    what: "round trip of two tasks over two channels of capacity 0",
    unit: "ns",
    subjects: EVERYONE,
    amount: { ops: 100_000 },
    amounts: { effect: { ops: 30_000 }, effection: { ops: 10_000 }, ...pythonAmounts(10_000) },
    targets: [
      { kind: "timesPeer", peer: "anyio-uvloop", ratioMin: 30 },
      { kind: "timesPeer", peer: "effect", ratioMin: 8 },
    ],
    notes: [
      "effect, asyncio, uvloop: queues of capacity 1, they have no rendezvous",
      "effection: unbounded queues",
      "promise: a hand-off written for one sender and one receiver",
    ],
  },
  {
    kind: "timed",
    name: "channel",
    what: "one item from a producer to a consumer, capacity 100",
    unit: "ns",
    subjects: without("promise"),
    amount: { ops: 200_000 },
    amounts: { effect: { ops: 100_000 }, effection: { ops: 20_000 }, ...pythonAmounts(30_000) },
    targets: [
      { kind: "timesPeer", peer: "anyio-uvloop", ratioMin: 10 },
      { kind: "timesPeer", peer: "effect", ratioMin: 2.5 },
    ],
    notes: [
      "promise: a bounded buffer is what a channel is",
      "effection: an unbounded queue",
      "arborio, effect, asyncio: one receive after another; anyio, trio: a loop over the channel, which costs ours some 40 ns more",
    ],
  },
  {
    kind: "timed",
    name: "lock",
    what: "acquire and release a free lock",
    unit: "ns",
    subjects: without("effection"),
    amount: { ops: 500_000 },
    amounts: { effect: { ops: 200_000 }, ...pythonAmounts(20_000) },
    targets: [{ kind: "atMost", value: 100 }],
    notes: [
      "promise: a chain of promises",
      "effect: Semaphore of one permit",
      "effection: has no lock",
    ],
  },
  {
    kind: "timed",
    name: "lock-contended",
    what: "acquire, checkpoint, release, by 1,000 tasks at once",
    unit: "ns",
    subjects: without("effection"),
    amount: { ops: 100_000 },
    amounts: { effect: { ops: 4000, warmUpOps: 1000 }, ...pythonAmounts(10_000) },
    // An acquisition takes no longer however many wait; the tolerance is that of `cancel-1m`.
    targets: [
      { kind: "timesBench", bench: "lock-contended-100", ratioMin: 0, ratioMax: LINEAR_RATIO_MAX },
    ],
  },
  {
    kind: "timed",
    name: "lock-contended-100",
    what: "the same by 100 tasks",
    unit: "ns",
    subjects: ["arborio"],
    amount: { ops: 100_000 },
    targets: [],
  },
];

const sizes: StaticBench[] = [
  {
    kind: "static",
    name: "size",
    what: "run, a task group, sleep and a timeout; minified and gzipped",
    unit: "B",
    subjects: ["arborio", "effect", "effection"],
    needs: ["rolldown"],
    measure: minimalSize,
    targets: [{ kind: "atMost", value: 8 * KB }],
    notes: ["arborio: with the backend of the runtime; node:* and bun:* are not in it"],
  },
  {
    kind: "static",
    name: "size-all",
    what: "all of the main entry; minified and gzipped",
    unit: "B",
    subjects: ["arborio", "effect", "effection"],
    needs: ["rolldown"],
    measure: wholeSize,
    targets: [{ kind: "atMost", value: 18 * KB }],
  },
];

const benches: Bench[] = [...tasks, ...checkpoints, ...exchange, ...sizes];

export const coreSuite: Suite = {
  name: "core",
  subjects,
  benches,
  peers: ["effect", "effection", "rolldown"],
};
