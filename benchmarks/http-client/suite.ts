/** The suite `http-client`: clients for small requests and large bodies, beside those of Node, Bun, Deno and Python. */
import { RUNTIMES, type ServedBench, type Subject, type Suite } from "../harness/suite.ts";
import { bodyFigures, ofPeer, subjectsIn } from "../harness/served-parts.ts";
import { whyNoLoad } from "../net/measure.ts";
import { measureBodies, measureRequests } from "./measure.ts";

const { script, python } = subjectsIn(new URL("clients/", import.meta.url));

const aiohttp = (name: string, ...needs: readonly string[]): Subject =>
  python(name, "aiohttp_client.py", "aiohttp", ...needs);

const subjects: Subject[] = [
  script("arborio", RUNTIMES),
  script("arborio-fetch", RUNTIMES),
  script("undici-request", ["node"], "undici"),
  script("fetch", RUNTIMES),
  script("raw-net", RUNTIMES),
  aiohttp("aiohttp-client"),
  aiohttp("aiohttp-client-uvloop", "uvloop"),
];

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

const bodies: ServedBench = {
  kind: "served",
  name: "client-body",
  subjects: ["arborio", "undici-request", "raw-net"],
  figures: [
    ...bodyFigures("client-body-down", "received"),
    ...bodyFigures("client-body-up", "sent"),
  ],
  measure: measureBodies("client-body"),
};

export const httpClientSuite: Suite = {
  name: "http-client",
  subjects,
  benches: [requests, bodies],
  peers: ["undici"],
  whyMissing: whyNoLoad,
};
