/** The echo server that most would write for Node with promises: the socket's async iterator, and `drain` awaited. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { announce, BACKLOG } from "../../harness/server-control.ts";

async function echo(socket: Socket): Promise<void> {
  for await (const chunk of socket) {
    if (!socket.write(chunk as Uint8Array)) await once(socket, "drain");
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  echo(socket).catch(() => socket.destroy());
});

server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () =>
  announce((server.address() as AddressInfo).port),
);
