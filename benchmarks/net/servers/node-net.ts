/** The echo server of node:net's own callbacks: the subject `raw` on Node, `node-net` on Bun and Deno. */
import { createServer, type AddressInfo } from "node:net";
import { announce, BACKLOG } from "../../harness/server-control.ts";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on("drain", () => socket.resume());
  socket.on("error", () => socket.destroy());
});

server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () =>
  announce((server.address() as AddressInfo).port),
);
