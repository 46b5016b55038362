/** The suite `websocket`: servers that echo, beside `ws` and those of Bun, Deno and Python. */
import { RUNTIMES, type Subject, type Suite } from "../harness/suite.ts";
import { ofPeer, subjectsIn } from "../harness/served-parts.ts";
import { whyNoLoad } from "../net/measure.ts";
import { measureEcho } from "./measure.ts";

const { script, python } = subjectsIn(new URL("servers/", import.meta.url));

const aiohttp = (loop: string, ...needs: readonly string[]): Subject =>
  python(`aiohttp-${loop}`, "aiohttp_server.py", "aiohttp", ...needs);

const subjects: Subject[] = [
  script("arborio", RUNTIMES),
  script("ws", ["node"], "ws"),
  script("native-ws", ["bun", "deno"]),
  aiohttp("asyncio"),
  aiohttp("uvloop", "uvloop"),
];

export const websocketSuite: Suite = {
  name: "websocket",
  subjects,
  benches: [
    {
      kind: "served",
      name: "ws-echo-64",
      subjects: subjects.map(({ name }) => name),
      figures: [
        {
          name: "ws-echo-64",
          what: "a text of 64 bytes there and back, one at a time on each of 32 connections",
          unit: "ns",
          targets: [],
          rate: true,
          paired: true,
        },
        {
          name: "ws-echo-64-cpu",
          what: "the same, CPU time of the server",
          unit: "ns",
          targets: [ofPeer("ws", 0.95, "node"), ofPeer("native-ws", 1.2, "bun", "deno")],
          paired: true,
        },
      ],
      measure: measureEcho("ws-echo-64"),
    },
  ],
  peers: ["ws"],
  whyMissing: whyNoLoad,
};
