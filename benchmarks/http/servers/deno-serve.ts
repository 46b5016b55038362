/** `Deno.serve`. */
import { announce } from "../../harness/server-control.ts";
import { GREETING } from "./payload.ts";

interface DenoHost {
  serve(
    options: {
      readonly port: number;
      readonly hostname: string;
      readonly onListen: (address: { readonly port: number }) => void;
    },
    handler: (request: Request) => Promise<Response> | Response,
  ): unknown;
}

const { Deno } = globalThis as unknown as { readonly Deno: DenoHost };

Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => announce(port) }, (request) =>
  request.method === "GET"
    ? new Response(GREETING)
    : request.json().then((value) => Response.json(value)),
);
