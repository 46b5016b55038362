/**
 * Large bodies on a bare socket of `node:net`: the ceiling that a runtime's sockets set. It reads of a request its method
 * and the length of its head, nothing else.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";
import { announce, BACKLOG } from "../../harness/server-control.ts";
import { BODY_BYTES, piece, PIECES } from "./payload.ts";

function download(socket: Socket): void {
  let sent = 0;
  const pump = (): void => {
    while (sent < PIECES) {
      sent++;
      if (!socket.write(piece)) return;
    }
    socket.off("drain", pump);
  };
  socket.on("drain", pump);
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`);
  pump();
}

const server = createServer({ noDelay: true }, (socket) => {
  let missing = 0;
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    if (missing > 0) {
      missing -= chunk.length;
    } else {
      const head = chunk.subarray(0, chunk.indexOf("\r\n\r\n") + 4);
      if (head.toString("latin1").startsWith("GET")) return download(socket);
      missing = BODY_BYTES - (chunk.length - head.length);
    }
    if (missing > 0) return;
    const text = String(BODY_BYTES);
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
  });
});
server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () =>
  announce((server.address() as AddressInfo).port),
);
