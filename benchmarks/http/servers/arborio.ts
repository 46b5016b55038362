/** Arborio's server, as its guide says. */
import { type BodySink, type HttpRequest, HttpResponse, openServer } from "@arborio/http";
import { run, sleepForever } from "arborio";
import process from "node:process";
import { announce, BACKLOG } from "../../harness/server-control.ts";
import { BODY_BYTES, GREETING, piece, PIECES } from "./payload.ts";

async function small(request: Request): Promise<Response> {
  if (request.method === "GET") return new HttpResponse(GREETING);
  return HttpResponse.json(await request.json());
}

async function large(request: Request): Promise<Response> {
  if (request.method === "GET") {
    return new HttpResponse(sendPieces, { headers: { "content-length": String(BODY_BYTES) } });
  }
  let bytes = 0;
  for await (const chunk of (request as HttpRequest).bodyStream ?? []) bytes += chunk.length;
  return new HttpResponse(String(bytes));
}

async function sendPieces(sink: BodySink): Promise<void> {
  for (let i = 0; i < PIECES; i++) await sink.send(piece);
}

await run(async () => {
  await using server = await openServer(process.argv[2] === "body" ? large : small, {
    port: 0,
    host: "127.0.0.1",
    backlog: BACKLOG,
    limits: { bodyBytesMax: BODY_BYTES },
  });
  announce(Number(new URL(server.url).port));
  await sleepForever();
});
