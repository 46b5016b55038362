/** srvx with its fast response, which is made for Node's server. */
import { FastResponse, serve } from "srvx";
import { announce } from "../../harness/server-control.ts";
import { GREETING } from "./payload.ts";

const server = serve({
  port: 0,
  hostname: "127.0.0.1",
  silent: true,
  gracefulShutdown: false,
  node: { keepAliveTimeout: 120_000 },
  fetch: async (request) =>
    request.method === "GET"
      ? new FastResponse(GREETING)
      : new FastResponse(JSON.stringify(await request.json()), {
          headers: { "content-type": "application/json" },
        }),
});
await server.ready();
announce(Number(new URL(server.url ?? "").port));
