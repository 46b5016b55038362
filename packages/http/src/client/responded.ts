import type { ResponseHead } from "../protocol/message.ts";
import type { Payload } from "../web/payload.ts";
import { bytesOf, payloadStream } from "../web/payload-stream.ts";
import { responseParts } from "../web/response-parts.ts";
import type { ClientRequest } from "./client-request.ts";
import { ClientResponse, type ResponsePayload } from "./client-response.ts";

/** The answer to a request by who has it, without any network. @throws TypeError if it cannot be sent. */
export function responded(request: ClientRequest, response: Response): ClientResponse {
  const { status, statusText, fields, payload, trailers } = responseParts(response);
  const body = request.method === "HEAD" ? dropped(payload) : received(payload);
  const head: ResponseHead = {
    version: "1.1",
    status,
    reason: statusText,
    fields,
    framing: body === null ? 0 : "close",
    keepAlive: true,
  };
  return new ClientResponse({
    head,
    request,
    payload: body,
    ...(trailers === null ? {} : { trailers }),
  });
}

function received(payload: Payload): ResponsePayload {
  if (payload === null || payload instanceof Uint8Array) return payload;
  return typeof payload === "string" ? bytesOf(payload) : payloadStream(payload);
}

/** Closes what would be read. */
function dropped(payload: Payload): null {
  if (typeof payload === "object" && payload !== null && !(payload instanceof Uint8Array))
    payload.close();
  return null;
}
