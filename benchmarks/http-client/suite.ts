/** The suite `http-client`: clients for small requests and large bodies, beside those of Node, Bun, Deno and Python. */
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
import { whyNoLoad } from "../net/measure.ts";
import { DIRECTIONS, measureBodies, measureRequests } from "./measure.ts";

const clientFile = (name: string): string =>
  fileURLToPath(new URL(`clients/${name}`, import.meta.url));

const script = (
  name: string,
  runtimes: readonly RuntimeName[],
  ...needs: readonly string[]
): Subject => ({ name, kind: "script", file: clientFile(`${name}.ts`), needs, runtimes });

const aiohttp = (name: string, ...needs: readonly string[]): Subject => ({
  name,
  kind: "python",
  file: clientFile("aiohttp_client.py"),
  needs: ["aiohttp", ...needs],
});

const subjects: Subject[] = [
  script("arborio", RUNTIMES),
  script("arborio-fetch", RUNTIMES),
  script("undici-request", ["node"], "undici"),
  script("fetch", RUNTIMES),
  script("raw-net", RUNTIMES),
  aiohttp("aiohttp-client"),
  aiohttp("aiohttp-client-uvloop", "uvloop"),
];

/** A peak of memory that grows by less than this while 1 GiB passes does not depend on the body's length. */
const FLAT_BYTES = 64 * 1024 ** 2;

const ofPeer = (peer: string, ratioMax: number, ...on: RuntimeName[]): Target => ({
  kind: "timesOfPeer",
  peer,
  ratioMax,
  ...(on.length > 0 && { on }),
});

const requests: ServedBench = {
  kind: "served",
  name: "client-get",
  subjects: subjects.map(({ name }) => name).filter((name) => name !== "raw-net"),
  figures: [
    {
      name: "client-get",
      what: "a GET that is answered by 13 bytes of text, 64 in flight",
      unit: "ns",
      targets: [],
      rate: true,
      paired: true,
    },
    {
      name: "client-get-cpu",
      what: "the same, CPU time of the client",
      unit: "ns",
      targets: [
        ofPeer("undici-request", 0.75, "node"),
        ofPeer("fetch", 0.75, "bun", "deno"),
        ofPeer("aiohttp-client", 0.1),
      ],
      paired: true,
    },
  ],
  measure: measureRequests("client-get"),
};

function bodyFigures(direction: "down" | "up"): Figure[] {
  const name = `client-body-${direction}`;
  const what = direction === "down" ? "received" : "sent";
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

const bodies: ServedBench = {
  kind: "served",
  name: "client-body",
  subjects: ["arborio", "undici-request", "raw-net"],
  figures: DIRECTIONS.flatMap(bodyFigures),
  measure: measureBodies("client-body"),
};

export const httpClientSuite: Suite = {
  name: "http-client",
  subjects,
  benches: [requests, bodies],
  peers: ["undici"],
  whyMissing: whyNoLoad,
};
