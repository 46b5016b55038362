/** A chat with rooms and a web page: `node main.ts 8000`, then open it in a browser. See README.md beside it. */
import { run } from "arborio";
import { openServer } from "@arborio/http";
import { portFrom, readArguments } from "../shared/read-arguments.ts";
import { createHandler } from "./handler.ts";

/** How long the last words may take after the first Ctrl-C. The pages are told that the server goes away, and come again. */
const GRACE_MS = 2000;

const USAGE = "[PORT]";
const port = portFrom(USAGE, readArguments(USAGE, {}).rest[0] ?? "8000");

await run(
  async (group) => {
    const server = await openServer(createHandler(), { port, host: "localhost", group });
    console.log(`chat on ${server.url}`);
  },
  { graceMs: GRACE_MS },
);
