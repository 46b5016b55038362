/** What the suites that measure processes from outside are made of. */
import { fileURLToPath } from "node:url";
import type { Figure, RuntimeName, Subject, Target } from "./suite.ts";

/** Makes the subjects whose files lie in a folder. */
export function subjectsIn(folder: URL): {
  readonly script: (
    name: string,
    runtimes: readonly RuntimeName[],
    ...needs: readonly string[]
  ) => Subject;
  readonly python: (name: string, file: string, ...needs: readonly string[]) => Subject;
} {
  const path = (name: string): string => fileURLToPath(new URL(name, folder));
  return {
    script: (name, runtimes, ...needs) => ({
      name,
      kind: "script",
      file: path(`${name}.ts`),
      needs,
      runtimes,
    }),
    python: (name, file, ...needs) => ({ name, kind: "python", file: path(file), needs }),
  };
}

/** We need at most so many times as much as the peer. */
export function ofPeer(peer: string, ratioMax: number, ...on: RuntimeName[]): Target {
  return { kind: "timesOfPeer", peer, ratioMax, ...(on.length > 0 && { on }) };
}

/** A peak of memory that grows by less than this while 1 GiB passes does not depend on the body's length. */
const FLAT_BYTES = 64 * 1024 ** 2;

/** The figures of a body of 1 GiB in one direction: time, CPU time and memory. */
export function bodyFigures(name: string, what: string): Figure[] {
  return [
    {
      name,
      what: `a MiB of a body of 1 GiB ${what}`,
      unit: "ns",
      targets: [ofPeer("raw-net", 1 / 0.9)],
      rate: true,
      paired: true,
    },
    { name: `${name}-cpu`, what: "the same, CPU time", unit: "ns", targets: [], paired: true },
    {
      name: `${name}-memory`,
      what: "how far resident memory rises while 1 GiB passes",
      unit: "B",
      targets: [{ kind: "atMost", value: FLAT_BYTES }],
    },
  ];
}
