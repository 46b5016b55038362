/** A reverse proxy: `node main.ts --port 8000 example.test=http://localhost:9000`. See README.md beside it. */
import process from "node:process";
import { parseArgs } from "node:util";
import { run, soft } from "arborio";
import { HttpError, openHttpClient, openServer } from "@arborio/http";
import { createProxy } from "./proxy.ts";
import { parseSites } from "./sites.ts";

/** How long requests may go on after the first Ctrl-C, in milliseconds. */
const GRACE_MS = 10_000;
/** Connections to the servers behind, all together. */
const CONNECTIONS_MAX = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: "string", default: "8000" },
    timeout: { type: "string", default: "60000" },
    health: { type: "string" },
  },
});
const sites = parseSites(positionals);

if (sites === undefined) {
  console.error("Usage: main.ts [--port PORT] [--timeout MS] [--health PATH] [HOST=]URL[,URL…] …");
  process.exitCode = 2;
} else {
  const { health } = values;
  const waitMs = Number(values.timeout);
  await run(
    async (group) => {
      await using client = openHttpClient({
        // What a request says comes from its client alone.
        headers: { accept: null, "user-agent": null },
        limits: { connectionsMax: CONNECTIONS_MAX, originConnectionsMax: CONNECTIONS_MAX },
        timeouts: { connectMs: Math.min(waitMs, 5000), headMs: waitMs, bodyMs: waitMs },
      });
      if (health !== undefined) {
        for (const site of sites.values())
          group.startSoon(() => soft(() => site.watch(client, health)), { daemon: true });
      }
      const server = await openServer(createProxy({ client, sites }), {
        port: Number(values.port),
        host: "localhost",
        limits: { bodyBytesMax: Infinity },
        timeouts: { bodyMs: waitMs, writeMs: waitMs },
        graceMs: GRACE_MS,
        onError: report,
      });
      console.log(`proxy on ${server.url}`);
      // Until Ctrl-C; the client has to be there until the last request has ended.
      await server.ended();
    },
    { graceMs: GRACE_MS },
  );
}

/** What the servers behind did wrong, on a line; all else is a bug, with its stack. */
function report(error: unknown): void {
  const { cause } = error as Error;
  console.error(error instanceof HttpError && cause instanceof Error ? cause.message : error);
}
