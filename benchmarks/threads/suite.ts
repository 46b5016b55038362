/** The suite `threads`: calls of an empty function in another thread, beside bare workers, Piscina, Tinypool and AnyIO. */
import { casesBeside } from "../harness/case-files.ts";
import type { Bench, Figure, Subject, Suite } from "../harness/suite.ts";

const { script, python } = casesBeside(import.meta.url);

const PEERS = ["piscina", "tinypool"] as const;

const subjects: readonly Subject[] = [
  script("arborio"),
  script("raw"),
  ...PEERS.map((name) => script(name, name)),
  python("anyio-asyncio", "anyio"),
];

const NOTES = [
  "every subject has as many threads as there are processors; raw: workers of node:worker_threads with postMessage",
];

/** At least as fast as both peers. */
const TARGETS: Figure["targets"] = PEERS.map((peer) => ({
  kind: "timesPeer",
  peer,
  ratioMin: 1,
}));

const calling = (name: string, how: string): Bench => ({
  kind: "timed",
  name,
  what: `call an empty function in another thread, ${how}`,
  unit: "ns",
  subjects: subjects.map((subject) => subject.name),
  amount: { ops: 20_000, warmUpOps: 2000, samplesMax: 5 },
  targets: TARGETS,
  paired: true,
  notes: NOTES,
});

const benches: readonly Bench[] = [
  calling("thread", "one after another"),
  calling("thread-100", "100 at once"),
];

export const threadsSuite: Suite = { name: "threads", subjects, benches, peers: PEERS };
