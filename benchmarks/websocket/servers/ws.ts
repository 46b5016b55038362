/** `ws`, the usual library of Node. */
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { announce, BACKLOG } from "../../harness/server-control.ts";

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", backlog: BACKLOG });
server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on("listening", () => announce((server.address() as AddressInfo).port));
