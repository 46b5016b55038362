/** The client's side of one request and its response, on a stream of its own. */
import { BrokenResourceError, checkpoint, EndOfStream } from "arborio";
import { type ByteStream, fromReadableStream } from "arborio/streams";
import type { ResponseHead } from "../protocol/message.ts";
import { ResponseParser } from "../protocol/response-parser.ts";
import { CHUNK_END, chunkHead, lastChunk } from "../protocol/serialize.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { Payload } from "../web/payload.ts";
import { bytesOf } from "../web/payload-stream.ts";
import { ResponseBody } from "./response-body.ts";
import type { TestRequest } from "./test-request.ts";

const ENCODER = new TextEncoder();

/** Sends the request, and gives the response when its head is there. Whoever calls closes the stream if this throws. */
export async function exchangeOnce(
  stream: ByteStream,
  request: TestRequest,
  startSending: (send: () => Promise<void>) => void,
): Promise<Response> {
  const { body, isChunked } = request;
  await stream.send(ENCODER.encode(request.head));
  if (body !== null) startSending(() => sendBody(stream, body, isChunked));
  const parser = new ResponseParser();
  parser.expect(request.method);
  return responseOf(await nextHead(stream, parser), new ResponseBody(stream, parser));
}

async function sendBody(
  stream: ByteStream,
  body: Exclude<Payload, null> | ReadableStream,
  isChunked: boolean,
): Promise<void> {
  const send = (piece: Uint8Array | string): Promise<void> => {
    const bytes = bytesOf(piece);
    return bytes.length === 0 ? checkpoint() : stream.send(isChunked ? chunk(bytes) : bytes);
  };
  if (typeof body === "string" || body instanceof Uint8Array) {
    await send(body);
  } else if (typeof body === "function") {
    await body({ send });
  } else {
    await using pieces = body instanceof ReadableStream ? fromReadableStream(body) : body;
    for await (const piece of pieces) await send(piece);
  }
  if (isChunked) await stream.send(ENCODER.encode(lastChunk([])));
}

/** The next head that is no interim one. */
async function nextHead(stream: ByteStream, parser: ResponseParser): Promise<ResponseHead> {
  for (;;) {
    const head = parser.readHead();
    if (head !== null && (head.status >= 200 || head.status === 101)) return head;
    if (head !== null) continue;
    try {
      parser.push(await stream.receive());
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
      throw new BrokenResourceError(
        "TestClient.fetch: the server ended the connection before there was a response",
      );
    }
  }
}

function responseOf(head: ResponseHead, body: ResponseBody): Response {
  const { status, reason, fields } = head;
  const headers: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) {
    headers.push([fields[index] as string, fields[index + 1] as string]);
  }
  const init = { status, statusText: reason, headers };
  if (status !== 101 && head.framing !== 0) return new HttpResponse(body, init);
  body.close();
  // What the web has no body for, it has `null` for.
  return new HttpResponse(null, init);
}

function chunk(piece: Uint8Array): Uint8Array {
  const head = ENCODER.encode(chunkHead(piece.length));
  const end = ENCODER.encode(CHUNK_END);
  const whole = new Uint8Array(head.length + piece.length + end.length);
  whole.set(head);
  whole.set(piece, head.length);
  whole.set(end, head.length + piece.length);
  return whole;
}
