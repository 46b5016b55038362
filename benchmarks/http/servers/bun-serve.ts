/** `Bun.serve`. */
import { announce } from "../../harness/server-control.ts";
import { GREETING } from "./payload.ts";

interface BunHost {
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    readonly idleTimeout: number;
    readonly fetch: (request: Request) => Promise<Response> | Response;
  }): { readonly port: number };
}

const { Bun } = globalThis as unknown as { readonly Bun: BunHost };

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 120,
  fetch: (request) =>
    request.method === "GET"
      ? new Response(GREETING)
      : request.json().then((value) => Response.json(value)),
});
announce(server.port);
