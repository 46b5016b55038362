/** `node:http` bare: what a runtime's own server does for one handler, and for large bodies by its streams. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { announce, BACKLOG } from "../../harness/server-control.ts";
import { BODY_BYTES, GREETING, piece, PIECES } from "./payload.ts";

/** Longer than any bench: a connection that waits is not closed. */
const KEEP_ALIVE_MS = 120_000;

function small(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/plain", "content-length": GREETING.length });
    response.end(GREETING);
    return;
  }
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (text += chunk));
  request.on("end", () => {
    const body = JSON.stringify(JSON.parse(text));
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  });
}

async function large(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "GET") {
    response.writeHead(200, { "content-length": BODY_BYTES });
    for (let i = 0; i < PIECES; i++) {
      if (!response.write(piece)) await once(response, "drain");
    }
    response.end();
    return;
  }
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  response.end(String(bytes));
}

const server = createServer(process.argv[2] === "body" ? (a, b) => void large(a, b) : small);
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () =>
  announce((server.address() as AddressInfo).port),
);
