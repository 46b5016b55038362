/** The suite `fs`: a large file read to its end, beside the runtimes' own streams and AnyIO. */
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
  "the file is in the system's cache: what is measured is the runtime, not the disk; raw: createReadStream of node:fs, iterated over",
  "raw-loaded: the same with Arborio's modules loaded; in a program with more than a few modules V8 collects all of the heap where it collected only what is young, each few hundred chunks",
];

const TARGETS: Figure["targets"] = [{ kind: "timesPeer", peer: "raw", ratioMin: 0.95 }];

/** Mebibytes of the file. */
const FILE_MIB = 1024;

const reading = (name: string, how: string): Bench => ({
  kind: "timed",
  name,
  what: `read 1 MiB of a file of 1 GiB, ${how}`,
  unit: "ns",
  subjects: subjects.map((subject) => subject.name),
  amount: { ops: FILE_MIB, warmUpOps: 256, samplesMax: 3 },
  targets: TARGETS,
  paired: true,
  notes: NOTES,
});

const benches: readonly Bench[] = [
  reading("file-read", "in chunks of 64 KiB: for await over the file"),
  reading("file-read-1m", "in chunks of 1 MiB: `stream().receive(1_048_576)`"),
];

export const fsSuite: Suite = { name: "fs", subjects, benches, peers: [] };
