/** The suite `net`: TCP servers that echo, beside the runtimes' own callbacks, Python's libraries, and plain C. */
import { fileURLToPath } from "node:url";
import {
  RUNTIMES,
  type Figure,
  type RuntimeName,
  type ServedBench,
  type Subject,
  type Suite,
  type Target,
} from "../harness/suite.ts";
import { cpuOf, measureIdle, measureLoad, whyNoLoad } from "./measure.ts";

const serverFile = (name: string): string =>
  fileURLToPath(new URL(`servers/${name}`, import.meta.url));

const script = (name: string, runtimes: readonly RuntimeName[] = RUNTIMES): Subject => ({
  name,
  kind: "script",
  file: serverFile(`${name}.ts`),
  needs: [],
  runtimes,
});

const python = (name: string, ...needs: string[]): Subject => ({
  name,
  kind: "python",
  file: serverFile("python_servers.py"),
  needs,
});

const subjects: Subject[] = [
  script("arborio"),
  script("raw"),
  script("node-net", ["bun", "deno"]),
  script("node-iterator", ["node"]),
  python("asyncio-streams"),
  python("uvloop-streams", "uvloop"),
  python("uvloop-protocol", "uvloop"),
  python("anyio-asyncio", "anyio"),
  python("anyio-uvloop", "anyio", "uvloop"),
  python("anyio-trio", "anyio", "trio"),
  { name: "c-epoll", kind: "native", file: serverFile("epoll.c"), needs: [] },
];

const EVERYONE = subjects.map(({ name }) => name);

const KIB = 1024;

/** Connections that do nothing. */
const IDLE = 10_000;

/** Connections begun and not ended. More than the servers' turns need to be full, far fewer than any backlog. */
const IN_FLIGHT = 32;

/** The peer needs at least so many times as much as we: 0.95 of a rate is 0.95 times the time. */
const times = (peer: string, ratioMin: number, ...on: RuntimeName[]): Target => ({
  kind: "timesPeer",
  peer,
  ratioMin,
  ...(on.length > 0 && { on }),
});

const SMALL_TARGETS = [
  times("raw", 0.95, "node"),
  times("uvloop-streams", 1, "node"),
  times("anyio-uvloop", 1.5, "node"),
  times("raw", 0.9, "bun"),
  times("uvloop-protocol", 0.9, "bun"),
];

/** A bench of the load generator: what an operation takes by the clock, and of the server's CPU. */
function loaded(
  name: string,
  what: string,
  load: readonly [string, ...number[]],
  targets: readonly Target[],
  notes: readonly string[] = [],
): ServedBench {
  const figures: Figure[] = [
    { name, what, unit: "ns", targets, notes, rate: true },
    { name: cpuOf(name), what: "the same, CPU time of the server", unit: "ns", targets },
  ];
  return { kind: "served", name, subjects: EVERYONE, figures, measure: measureLoad(name, load) };
}

const idle: ServedBench = {
  kind: "served",
  name: "tcp-idle",
  subjects: EVERYONE,
  figures: [
    {
      name: "tcp-idle",
      what: "resident memory of a connection that did one echo and waits, of 10,000",
      unit: "B",
      targets: [
        { kind: "timesOfPeer", peer: "raw", ratioMax: 1.3, on: ["node"] },
        { kind: "timesOfPeer", peer: "node-net", ratioMax: 1.3, on: ["bun", "deno"] },
        times("anyio-asyncio", 1),
        times("anyio-uvloop", 1),
      ],
      notes: [
        "what the kernel holds for a connection is not in it",
        "raw on Deno: a read needs a buffer, here one of 64 KiB for each connection",
      ],
    },
  ],
  measure: measureIdle("tcp-idle", IDLE),
};

const benches: ServedBench[] = [
  loaded("tcp-echo-1k-10", "echo of 1 KiB, 10 connections", ["echo", 10, KIB], SMALL_TARGETS),
  loaded("tcp-echo-1k-200", "echo of 1 KiB, 200 connections", ["echo", 200, KIB], SMALL_TARGETS),
  loaded(
    "tcp-echo-64k-10",
    "echo of 64 KiB, 10 connections",
    ["echo", 10, 64 * KIB],
    [times("raw", 0.95)],
  ),
  idle,
  loaded(
    "tcp-accept",
    "accept, echo one byte, end; 32 at once",
    ["accept", IN_FLIGHT],
    [times("raw", 0.9)],
    [
      "the kernel does the handshakes of both sides on the load's time: where servers are as quick as c-epoll, that is the limit, and CPU time tells more",
    ],
  ),
];

export const netSuite: Suite = {
  name: "net",
  subjects,
  benches,
  peers: [],
  whyMissing: whyNoLoad,
};
