/** Hono on Arborio's server, whose responses take the place of the platform's, as those of Hono's server for Node do. */
import { openServer, patchGlobalResponse } from "@arborio/http";
import { run, sleepForever } from "arborio";
import { announce, BACKLOG } from "../../harness/server-control.ts";
import { app } from "./hono-app.ts";

patchGlobalResponse();
await run(async () => {
  const options = { port: 0, host: "127.0.0.1", backlog: BACKLOG };
  await using server = await openServer((request) => app.fetch(request), options);
  announce(Number(new URL(server.url).port));
  await sleepForever();
});
