import { createDigest, type DigestAlgorithm } from "arborio/lowlevel";
import type { ClientRequest } from "../../client/client-request.ts";
import type { DigestHash } from "../../protocol/digest-challenge.ts";

const encoder = new TextEncoder();

/** The digest of a body that can be sent again. A function makes it here once, and once more when it is sent. */
export async function bodyHash({ payload }: ClientRequest, hash: DigestHash): Promise<Uint8Array> {
  const digest = createDigest(hash as DigestAlgorithm);
  const add = (piece: string | Uint8Array): void => {
    digest.update(typeof piece === "string" ? encoder.encode(piece) : piece);
  };
  if (typeof payload === "function") await payload({ send: async (piece) => add(piece) });
  else if (typeof payload === "string" || payload instanceof Uint8Array) add(payload);
  return digest.digest();
}
