/** An application written with Hono, on Node, Bun and Deno: `node main.ts 8000`. See README.md beside it. */
import { run } from "arborio";
import { openServer } from "@arborio/http";
import { portFrom, readArguments } from "../shared/read-arguments.ts";
import { createApp } from "./app.ts";

/** How long requests may go on after the first Ctrl-C. */
const GRACE_MS = 5000;

const USAGE = "[PORT]";
const port = portFrom(USAGE, readArguments(USAGE, {}).rest[0] ?? "8000");

await run(
  async (group) => {
    const server = await openServer(createApp().fetch, { port, host: "localhost", group });
    console.log(`notes on ${server.url}`);
  },
  { graceMs: GRACE_MS },
);
