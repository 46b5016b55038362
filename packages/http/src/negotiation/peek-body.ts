import { EndOfStream, moveOnAfter } from "arborio";
import { BufferedByteReceiveStream, type ByteReceiveStream } from "arborio/streams";
import { FLUSH_AFTER_MS } from "./compressed-body.ts";

/**
 * Looks whether a stream is shorter than so many bytes: all of its bytes if it is, else a stream that gives the same. One that
 * pauses is not waited for, and counts as long. Takes the stream over: it is closed if this fails or is cancelled.
 */
export async function peekBody(
  stream: ByteReceiveStream,
  bytesMin: number,
): Promise<Uint8Array | ByteReceiveStream> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let ended = false;
  try {
    await moveOnAfter(FLUSH_AFTER_MS, async () => {
      while (bytes < bytesMin) {
        const chunk = await stream.receive();
        chunks.push(chunk);
        bytes += chunk.length;
      }
    });
  } catch (error) {
    ended = error instanceof EndOfStream;
    if (!ended) {
      stream.close();
      throw error;
    }
  }
  if (ended && bytes < bytesMin) {
    stream.close();
    return joined(chunks, bytes);
  }
  const whole = new BufferedByteReceiveStream(stream);
  whole.unread(joined(chunks, bytes));
  return whole;
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
