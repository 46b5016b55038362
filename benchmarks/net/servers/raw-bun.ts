/**
 * The echo server of `Bun.listen`. Its `write` takes what the socket takes; the rest is ours to keep until `drain`. Bun sets
 * TCP_NODELAY itself, and its backlog is 512.
 */
import { announce } from "../../harness/server-control.ts";

/** What is used of Bun's socket. */
interface BunSocket {
  /** What the socket did not take yet. */
  data: Uint8Array | undefined;
  /** Bytes taken, or -1 if the socket is closed. */
  write(chunk: Uint8Array): number;
  pause(): void;
  resume(): void;
}

interface BunHost {
  listen(options: {
    readonly hostname: string;
    readonly port: number;
    readonly socket: {
      readonly data: (socket: BunSocket, chunk: Uint8Array) => void;
      readonly drain: (socket: BunSocket) => void;
      readonly error: () => void;
    };
  }): { readonly port: number };
}

const { Bun } = globalThis as unknown as { readonly Bun: BunHost };

function send(socket: BunSocket, chunk: Uint8Array): void {
  const taken = socket.write(chunk);
  if (taken < 0 || taken === chunk.length) return;
  socket.data = chunk.subarray(taken);
  socket.pause();
}

const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    data(socket, chunk) {
      // A chunk may come after `pause`, if it was read already.
      if (socket.data === undefined) send(socket, chunk);
      else socket.data = Buffer.concat([socket.data, chunk]);
    },
    drain(socket) {
      const rest = socket.data;
      if (rest === undefined) return;
      socket.data = undefined;
      send(socket, rest);
      if (socket.data === undefined) socket.resume();
    },
    error() {},
  },
});

announce(listener.port);
