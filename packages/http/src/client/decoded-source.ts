import { IncomingBody } from "../connection/incoming-body.ts";
import type { ResponseSource, Transfer } from "./client-response.ts";
import { codingsOf, decodedBody, decodedFields } from "./decoded-body.ts";
import type { ResponseBodies } from "./response-bodies.ts";

/** What codings may add to a body that does not shrink, in bytes; more is no body within the limit. */
const CODING_BYTES_MAX = 65_536;

/** A response without the codings of its body: as it is, if it has none, or they are not known. @throws RequestFailedError if there are too many. */
export function decodedSource(
  source: ResponseSource,
  { decompress, bodyBytesMax }: ResponseBodies,
): ResponseSource {
  const { head, request, payload } = source;
  if (payload === null || decompress === null) return source;
  try {
    const codings = codingsOf(head.fields, head.status, request, decompress.layersMax);
    if (codings === null) return source;
    if (payload instanceof IncomingBody) payload.bytesMax += CODING_BYTES_MAX;
    return {
      ...source,
      ...decodedBody(payload, codings, { ...decompress, bytesMax: bodyBytesMax }, request),
      head: { ...head, fields: decodedFields(head.fields) },
      isDecoded: true,
      transfer: source.transfer ?? transferOfWhole(payload as Uint8Array),
    };
  } catch (error) {
    if (!(payload instanceof Uint8Array)) payload.close();
    throw error;
  }
}

function transferOfWhole({ length }: Uint8Array): Transfer {
  return { bytesReceived: length, sent: () => null, keep: () => {} };
}
