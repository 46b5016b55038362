/** An aggregating gateway: `node main.ts`, then `curl localhost:8000/overview`. See README.md beside it. */
import process from "node:process";
import { parseArgs } from "node:util";
import { run } from "arborio";
import { createHealthChecks, openServer } from "@arborio/http";
import { Gateway } from "./gateway.ts";
import type { Part } from "./overview.ts";
import { createServices } from "./services.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: "string", default: "8000" },
    deadline: { type: "string", default: "1000" },
    attempt: { type: "string", default: "400" },
    drain: { type: "string", default: "0" },
    grace: { type: "string", default: "5000" },
  },
});
const given = positionals.map(partOf);

if (given.some((part) => part === undefined)) {
  console.error(
    "Usage: main.ts [--port PORT] [--deadline MS] [--attempt MS] [--drain MS] [--grace MS] [NAME=URL[,URL…] …]",
  );
  process.exitCode = 2;
} else {
  const graceMs = Number(values.grace);
  await run(() => serveOverview(given as Part[], graceMs), { graceMs });
}

async function serveOverview(given: readonly Part[], graceMs: number): Promise<void> {
  await using gateway = new Gateway({
    parts: given.length > 0 ? given : await openServices(),
    deadlineMs: Number(values.deadline),
    attemptMs: Number(values.attempt),
  });
  const health = createHealthChecks();
  const server = await openServer(health.wrap(gateway.handle), {
    port: Number(values.port),
    host: "localhost",
    drainMs: Number(values.drain),
    graceMs,
  });
  console.log(`gateway on ${server.url}overview`);
  // Until Ctrl-C: then what is under way is finished, and the gateway's client is closed after that.
  await server.ended();
}

/** Those of `services.ts`, each at two places. They end with the program. */
async function openServices(): Promise<Part[]> {
  const parts: Part[] = [];
  for (const [name, handler] of Object.entries(createServices())) {
    const options = { port: 0, host: "localhost", graceMs: 0, onError: () => {} };
    const servers = [await openServer(handler, options), await openServer(handler, options)];
    parts.push({ name, urls: servers.map(({ url }) => url) });
  }
  return parts;
}

/** Reads `name=http://one,http://two`. */
function partOf(text: string): Part | undefined {
  const [, name = "", list = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const urls = list.split(",");
  return urls.every((url) => URL.canParse(url)) ? { name, urls } : undefined;
}
