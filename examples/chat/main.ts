/**
 * A chat server in lines: `node main.ts 7000`, then `nc localhost 7000` in as many terminals as there are guests. See README.md
 * beside it.
 */
import { run } from "arborio";
import { formatAddress, listenTcp } from "arborio/net";
import { portFrom, readArguments } from "../shared/read-arguments.ts";
import { serveChat } from "./server.ts";

/** How long guests have to read that the server is closing. */
const GRACE_MS = 3000;

const USAGE = "[PORT]";
const port = portFrom(USAGE, readArguments(USAGE, {}).rest[0] ?? "7000");

await run(
  async () => {
    await using listener = await listenTcp(port);
    console.log(`chat on ${listener.addresses.map(formatAddress).join(", ")}`);
    await serveChat(listener);
  },
  { graceMs: GRACE_MS },
);
