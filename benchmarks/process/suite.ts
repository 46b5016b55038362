/** The suite `process`: short programs, one after another and several at once, beside the runtimes' own functions and AnyIO. */
import { casesBeside } from "../harness/case-files.ts";
import type { Bench, Figure, Subject, Suite } from "../harness/suite.ts";

const { script, python } = casesBeside(import.meta.url);

const subjects: readonly Subject[] = [
  script("arborio"),
  script("raw"),
  script("raw-loaded"),
  python("anyio-asyncio", "anyio"),
];

const NOTES = [
  "each program leads a process group of its own; raw: node:child_process with `detached`, its output is read to the end",
  "raw-loaded: the same with Arborio's modules loaded; on Node and Deno a process is forked, and that costs more the more memory there is",
];

const TARGETS: Figure["targets"] = [{ kind: "timesPeer", peer: "raw", ratioMin: 0.9 }];

const benches: readonly Bench[] = [
  {
    kind: "timed",
    name: "process",
    what: "start a short program, read its output, wait for its end, one after another",
    unit: "ns",
    subjects: subjects.map(({ name }) => name),
    amount: { ops: 200, warmUpOps: 20, samplesMax: 3 },
    targets: TARGETS,
    paired: true,
    notes: NOTES,
  },
  {
    kind: "timed",
    name: "process-10",
    what: "the same, ten at once",
    unit: "ns",
    subjects: subjects.map(({ name }) => name),
    amount: { ops: 400, warmUpOps: 20, samplesMax: 3 },
    targets: TARGETS,
    paired: true,
    notes: NOTES,
  },
];

export const processSuite: Suite = { name: "process", subjects, benches, peers: [] };
