import { BrokenResourceError, type ReceiveChannel } from "arborio";
import type { ByteSendStream } from "arborio/streams";
import type { Chunk } from "./follow-files.ts";

/** Writes chunks, with a header where another file goes on, until whoever reads has gone. */
export async function printChunks(
  chunks: ReceiveChannel<Chunk>,
  output: ByteSendStream,
  hasHeaders: boolean,
): Promise<void> {
  const encoder = new TextEncoder();
  let last: string | undefined;
  try {
    for await (const { path, bytes } of chunks) {
      if (hasHeaders && path !== last)
        await output.send(encoder.encode(`${last === undefined ? "" : "\n"}==> ${path} <==\n`));
      last = path;
      await output.send(bytes);
    }
  } catch (error) {
    if (!(error instanceof BrokenResourceError)) throw error;
  }
}
