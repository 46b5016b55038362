/** The suite `threads`: calls of an empty function in another thread, beside bare workers, Piscina, Tinypool and AnyIO. */
import { fileURLToPath } from "node:url";
import type { Bench, Figure, Subject, Suite } from "../harness/suite.ts";

const caseFile = (name: string): string => fileURLToPath(new URL(`cases/${name}`, import.meta.url));

const script = (name: string, needs: readonly string[] = []): Subject => ({
  name,
  kind: "script",
  file: caseFile(`${name}.ts`),
  needs,
});

const PEERS = ["piscina", "tinypool"] as const;

const subjects: readonly Subject[] = [
  script("arborio"),
  script("raw"),
  ...PEERS.map((name) => script(name, [name])),
  { name: "anyio-asyncio", kind: "python", file: caseFile("python_cases.py"), needs: ["anyio"] },
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
