/** A page whose figures move: `node main.ts 8000`, then open it in a browser. See README.md beside it. */
import { run, soft } from "arborio";
import { openServer } from "@arborio/http";
import { portFrom, readArguments } from "../shared/read-arguments.ts";
import { createHandler } from "./handler.ts";
import { Ticker } from "./ticker.ts";

/** How long requests may go on after the first Ctrl-C. Event streams end at once. */
const GRACE_MS = 5000;
const TICK_MS = 250;

const USAGE = "[PORT]";
const port = portFrom(USAGE, readArguments(USAGE, {}).rest[0] ?? "8000");

await run(
  async (group) => {
    const ticker = new Ticker(TICK_MS);
    group.startSoon(() => soft(() => ticker.run()), { daemon: true });
    const server = await openServer(createHandler(ticker), { port, host: "localhost", group });
    console.log(`ticker on ${server.url}`);
  },
  { graceMs: GRACE_MS },
);
