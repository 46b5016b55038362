/** A large file, read with `openFile`. */
import { EndOfStream, run } from "arborio";
import { openFile } from "arborio/fs";
import { runRequestedCase } from "../../harness/case.ts";
import { casesOf } from "./work.ts";

/** What a file gives to who iterates over it. */
const ITERATED_BYTES = 65_536;

async function iterate(path: string): Promise<number> {
  using file = await openFile(path);
  let bytes = 0;
  for await (const chunk of file) bytes += chunk.length;
  return bytes;
}

async function receive(path: string, chunkBytes: number): Promise<number> {
  using file = await openFile(path);
  const stream = file.stream();
  let bytes = 0;
  try {
    for (;;) bytes += (await stream.receive(chunkBytes)).length;
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
  return bytes;
}

await runRequestedCase(
  casesOf((path, chunkBytes) =>
    run(() => (chunkBytes === ITERATED_BYTES ? iterate(path) : receive(path, chunkBytes))),
  ),
);
