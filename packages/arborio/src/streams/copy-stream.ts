import { requireCount, requireFlag, requireFunction, requireOptions } from "../core/arguments.ts";
import { EndOfStream } from "../core/errors.ts";
import {
  type ByteReceiveStream,
  type ByteSendStream,
  type ByteStream,
  CHUNK_BYTES_MAX,
} from "./byte-stream.ts";

/** Options of `copyStream`. */
export interface CopyStreamOptions {
  /** Largest chunk, in bytes, and so the most that is under way here at any time. Default 65,536. */
  readonly bufferBytes?: number;
  /** Called after each chunk with the number of bytes copied so far. What it throws ends the copying. */
  readonly onProgress?: (copiedBytes: number) => void;
  /** Whether the end is passed on: by `sendEof` where `to` has it, else by `close`. Default `false`: more may be sent. */
  readonly end?: boolean;
}

/**
 * Copies from one stream to another until the first has ended. Receives the next chunk when the one before is sent, so a slow
 * receiver slows the sender down. Closes neither.
 *
 * Cancelled or failing while it receives, all that was received has been sent. Cancelled or failing while it sends, one chunk of
 * at most `bufferBytes` has been received and not, or not wholly, been sent: a `from` with `unread`, such as a
 * `BufferedByteReceiveStream`, gets that chunk back whole; from any other it is lost.
 *
 * @returns number of bytes copied.
 * @throws what `receive` and `send` throw, but for `EndOfStream`.
 *
 * @example An echo
 * ```ts
 * import { run } from "arborio";
 * import { copyStream, createMemoryStreamPair } from "arborio/streams";
 *
 * await run(async (group) => {
 *   const [client, server] = createMemoryStreamPair();
 *   group.startSoon(() => copyStream(server, server, { end: true }));
 *   await client.send(new Uint8Array(1000));
 *   await client.sendEof();
 *   let count = 0;
 *   for await (const chunk of client) count += chunk.length;
 *   console.assert(count === 1000);
 * });
 * ```
 */
export async function copyStream(
  from: ByteReceiveStream,
  to: ByteSendStream,
  options: CopyStreamOptions = {},
): Promise<number> {
  requireOptions("copyStream(…, options)", options, "{ bufferBytes: 65_536 }");
  const { bufferBytes = CHUNK_BYTES_MAX, onProgress, end = false } = options;
  requireCount("copyStream({ bufferBytes })", bufferBytes, 1, false);
  if (onProgress !== undefined) requireFunction("copyStream({ onProgress })", onProgress);
  requireFlag("copyStream({ end })", end);
  let copiedBytes = 0;
  for (;;) {
    let chunk: Uint8Array;
    try {
      chunk = await from.receive(bufferBytes);
    } catch (error) {
      if (error instanceof EndOfStream) break;
      throw error;
    }
    try {
      await to.send(chunk);
    } catch (error) {
      giveBack(from, chunk);
      throw error;
    }
    copiedBytes += chunk.length;
    onProgress?.(copiedBytes);
  }
  if (end) await endSending(to);
  return copiedBytes;
}

function giveBack(from: ByteReceiveStream & Partial<Unreadable>, chunk: Uint8Array): void {
  try {
    from.unread?.(chunk);
  } catch {
    // It was closed meanwhile, or another task receives: the error of the sending is the one to see.
  }
}

interface Unreadable {
  unread(bytes: Uint8Array): void;
}

async function endSending(to: ByteSendStream & Partial<ByteStream>): Promise<void> {
  if (typeof to.sendEof === "function") await to.sendEof();
  else to.close();
}
