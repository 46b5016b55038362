/** A large file, read with the runtime's own `node:fs`. */
import { createReadStream } from "node:fs";
import { runRequestedCase } from "../../harness/case.ts";
import { casesOf } from "./work.ts";

await runRequestedCase(
  casesOf(async (path, chunkBytes) => {
    let bytes = 0;
    const stream: AsyncIterable<Uint8Array> = createReadStream(path, { highWaterMark: chunkBytes });
    for await (const chunk of stream) bytes += chunk.length;
    return bytes;
  }),
);
