/** An aggregating gateway: `node main.ts`, then `curl localhost:8000/overview`. See README.md beside it. */
import { run } from "arborio";
import { createHealthChecks, openServer } from "@arborio/http";
import { exitWith, readArguments } from "../shared/read-arguments.ts";
import { Gateway } from "./gateway.ts";
import type { Part } from "./overview.ts";
import { createServices } from "./services.ts";

const USAGE =
  "[--port PORT] [--deadline MS] [--attempt MS] [--drain MS] [--grace MS] [NAME=URL[,URL…] …]";

const options = readArguments(USAGE, {
  port: 8000,
  deadline: 1000,
  attempt: 400,
  drain: 0,
  grace: 5000,
});
const given = options.rest.map(partOf);

await run(serveOverview, { graceMs: options.grace });

async function serveOverview(): Promise<void> {
  await using gateway = new Gateway({
    parts: given.length > 0 ? given : await openServices(),
    deadlineMs: options.deadline,
    attemptMs: options.attempt,
  });
  const health = createHealthChecks();
  const server = await openServer(health.wrap(gateway.handle), {
    port: options.port,
    host: "localhost",
    drainMs: options.drain,
    graceMs: options.grace,
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
function partOf(text: string): Part {
  const [, name = "", list = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const urls = list.split(",");
  if (urls.every((url) => /^https?:/i.test(url) && URL.canParse(url))) return { name, urls };
  return exitWith(USAGE, `got "${text}", needs a name and the URLs of its servers`);
}
