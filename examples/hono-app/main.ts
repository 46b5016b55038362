/** An application written with Hono, on Node, Bun and Deno: `node main.ts 8000`. See README.md beside it. */
import process from "node:process";
import { run } from "arborio";
import { openServer } from "@arborio/http";
import { createApp } from "./app.ts";

/** How long requests may go on after the first Ctrl-C. */
const GRACE_MS = 5000;

const port = Number(process.argv[2] ?? 8000);

await run(
  async (group) => {
    const server = await openServer(createApp().fetch, { port, host: "localhost", group });
    console.log(`notes on ${server.url}`);
  },
  { graceMs: GRACE_MS },
);
