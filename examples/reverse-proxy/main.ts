/** A reverse proxy: `node main.ts --port 8000 example.test=http://localhost:9000`. See README.md beside it. */
import { run, soft, type TaskGroup } from "arborio";
import { HttpError, openHttpClient, openServer, RequestFailedError } from "@arborio/http";
import { exitWith, readArguments } from "../shared/read-arguments.ts";
import { AS_THEY_ARE, createProxy } from "./proxy.ts";
import { parseSites } from "./sites.ts";

/** How long requests may go on after the first Ctrl-C, in milliseconds. */
const GRACE_MS = 10_000;
/** A server that is there accepts a connection in far less, in milliseconds. */
const CONNECT_MS = 5000;
/** Connections to the servers behind, all together. */
const CONNECTIONS_MAX = 10_000;

const USAGE = "[--port PORT] [--timeout MS] [--health PATH] [HOST=]URL[,URL…] …";

const { port, timeout, health, rest } = readArguments(USAGE, {
  port: 8000,
  timeout: 60_000,
  health: "",
});
const sites =
  parseSites(rest) ??
  exitWith(USAGE, `got "${rest.join(" ")}", needs URLs of servers, each list with its host`);

await run(serveSites, { graceMs: GRACE_MS });

async function serveSites(group: TaskGroup): Promise<void> {
  await using client = openHttpClient({
    ...AS_THEY_ARE,
    limits: { connectionsMax: CONNECTIONS_MAX, originConnectionsMax: CONNECTIONS_MAX },
    timeouts: { connectMs: Math.min(timeout, CONNECT_MS), headMs: timeout, bodyMs: timeout },
  });
  if (health !== "") {
    for (const site of sites.values())
      group.startSoon(() => soft(() => site.watch(client, health)), { daemon: true });
  }
  const server = await openServer(createProxy({ client, sites }), {
    port,
    host: "localhost",
    limits: { bodyBytesMax: Infinity },
    timeouts: { bodyMs: timeout, writeMs: timeout },
    graceMs: GRACE_MS,
    onError: report,
  });
  console.log(`proxy on ${server.url}`);
  // Until Ctrl-C; the client has to be there until the last request has ended.
  await server.ended();
}

/** What the servers behind did wrong, on a line; all else is a bug, with its stack. */
function report(error: unknown): void {
  const failure = error instanceof HttpError ? error.cause : error;
  console.error(failure instanceof RequestFailedError ? failure.message : error);
}
