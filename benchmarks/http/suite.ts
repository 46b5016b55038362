/** The suite `http`: servers for small requests, large bodies and idle connections, beside those of Node, Bun, Deno and Python. */
import {
  RUNTIMES,
  type Figure,
  type ServedBench,
  type Subject,
  type Suite,
  type Target,
} from "../harness/suite.ts";
import { bodyFigures, ofPeer, subjectsIn } from "../harness/served-parts.ts";
import {
  measureBodies,
  measureIdle,
  measureRequests,
  whyNoHttpLoad,
  type RequestKind,
} from "./measure.ts";

const { script, python } = subjectsIn(new URL("servers/", import.meta.url));

const aiohttp = (loop: string, ...needs: readonly string[]): Subject =>
  python(`aiohttp-${loop}`, "aiohttp_server.py", "aiohttp", ...needs);

const subjects: Subject[] = [
  script("arborio", RUNTIMES),
  script("arborio-hono", RUNTIMES, "hono"),
  script("node-http", ["node"]),
  script("srvx", ["node"], "srvx"),
  script("fastify", ["node"], "fastify"),
  script("hono", ["node"], "hono", "@hono/node-server"),
  script("bun-serve", ["bun"]),
  script("deno-serve", ["deno"]),
  script("raw-net", RUNTIMES),
  aiohttp("asyncio"),
  aiohttp("uvloop", "uvloop"),
];

const WITHOUT_RAW = subjects.map(({ name }) => name).filter((name) => name !== "raw-net");

/** Connections that did one request and wait. */
const IDLE = 10_000;

/** What is asked of CPU time per request. */
interface CpuAsked {
  readonly nodeHttp: number;
  /** Of `Bun.serve` and `Deno.serve`. */
  readonly native?: number;
}

function cpuTargets({ nodeHttp, native }: CpuAsked): Target[] {
  return [
    ofPeer("node-http", nodeHttp, "node"),
    ofPeer("srvx", 0.75, "node"),
    ofPeer("fastify", 0.75, "node"),
    ofPeer("hono", 0.75, "node"),
    ...(native === undefined
      ? []
      : [ofPeer("bun-serve", native, "bun"), ofPeer("deno-serve", native, "deno")]),
    ofPeer("aiohttp-uvloop", 0.4),
  ];
}

function requests(name: string, what: string, kind: RequestKind, asked: CpuAsked): ServedBench {
  const figures: Figure[] = [
    { name, what, unit: "ns", targets: [], rate: true, paired: true },
    {
      name: `${name}-cpu`,
      what: "the same, CPU time of the server",
      unit: "ns",
      targets: cpuTargets(asked),
      paired: true,
    },
  ];
  if (kind !== "pipelined") {
    figures.push(
      { name: `${name}-p50`, what: "median latency", unit: "ns", targets: [], paired: true },
      {
        name: `${name}-p99`,
        what: "latency of the slowest hundredth",
        unit: "ns",
        targets: [ofPeer("node-http", 1, "node")],
        paired: true,
      },
    );
  }
  return {
    kind: "served",
    name,
    subjects: WITHOUT_RAW,
    figures,
    measure: measureRequests(name, kind),
  };
}

const bodies: ServedBench = {
  kind: "served",
  name: "http-body",
  subjects: ["arborio", "node-http", "raw-net"],
  figures: [
    ...bodyFigures("http-body-down", "sent by the server"),
    ...bodyFigures("http-body-up", "taken by the server"),
  ],
  measure: measureBodies("http-body"),
};

const idle: ServedBench = {
  kind: "served",
  name: "http-idle",
  subjects: WITHOUT_RAW,
  figures: [
    {
      name: "http-idle",
      what: "resident memory of a connection that did one request and waits, of 10,000",
      unit: "B",
      targets: [ofPeer("node-http", 1, "node")],
      notes: ["what the kernel holds for a connection is not in it"],
      paired: true,
    },
  ],
  measure: measureIdle("http-idle", IDLE),
};

export const httpSuite: Suite = {
  name: "http",
  subjects,
  benches: [
    requests("http-get", "a GET that is answered by 13 bytes of text, 64 connections", "get", {
      nodeHttp: 0.85,
      native: 1.25,
    }),
    requests("http-post", "a POST of JSON that is read and answered as JSON", "post", {
      nodeHttp: 0.8,
    }),
    requests("http-pipelined", "the GET, 16 sent at once on each connection", "pipelined", {
      nodeHttp: 0.25,
      native: 0.4,
    }),
    bodies,
    idle,
  ],
  peers: ["fastify", "srvx", "hono", "@hono/node-server"],
  whyMissing: whyNoHttpLoad,
};
