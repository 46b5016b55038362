/** Hono on its own server for Node, which puts light requests and responses in the place of Node's. */
import { serve } from "@hono/node-server";
import { announce } from "../../harness/server-control.ts";
import { app } from "./hono-app.ts";

const server = serve(
  {
    fetch: app.fetch,
    port: 0,
    hostname: "127.0.0.1",
    serverOptions: { keepAliveTimeout: 120_000 },
  },
  ({ port }) => announce(port),
);
server.on("error", (error) => {
  throw error;
});
