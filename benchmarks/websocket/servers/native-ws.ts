/** The WebSockets of `Bun.serve` and `Deno.serve`. */
import { announce } from "../../harness/server-control.ts";

/** As much of the runtimes as is used here. */
interface Runtimes {
  readonly Bun?: {
    serve(options: {
      port: number;
      hostname: string;
      fetch(request: Request, server: { upgrade(request: Request): boolean }): Response | undefined;
      websocket: {
        message(socket: { send(data: unknown): unknown }, message: unknown): void;
      };
    }): { readonly port: number };
  };
  readonly Deno?: {
    serve(
      options: { port: number; hostname: string; onListen: (at: { port: number }) => void },
      handler: (request: Request) => Response,
    ): unknown;
    upgradeWebSocket(request: Request): { socket: WebSocket; response: Response };
  };
}

const { Bun, Deno } = globalThis as unknown as Runtimes;

if (Bun !== undefined) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) =>
      self.upgrade(request) ? undefined : new Response("no WebSocket", { status: 426 }),
    websocket: { message: (socket, message) => void socket.send(message) },
  });
  announce(server.port);
} else if (Deno !== undefined) {
  Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: ({ port }) => announce(port) },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.addEventListener("message", ({ data }) => socket.send(data as string));
      return response;
    },
  );
} else throw new Error("this runtime has no WebSocket server of its own");
