import { EndOfStream } from "../../core/errors.ts";
import type { ByteReceiveStream, ByteSendStream } from "../../streams/byte-stream.ts";
import { equal } from "../conformance/assert.ts";

/** 251 is prime, so a block of this length does not go into any size of buffer. */
const BLOCK_BYTES = 251 * 251;
const block: Uint8Array = new Uint8Array(BLOCK_BYTES);
for (let place = 0; place < BLOCK_BYTES; place++)
  block[place] = (place + Math.floor(place / 251)) % 251;

/** Bytes whose values tell their place: one that is lost, doubled or swapped is seen. */
export function pattern(length: number, start = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const from = (start + done) % BLOCK_BYTES;
    const part = block.subarray(from, from + Math.min(length - done, BLOCK_BYTES - from));
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

/** Bytes of a subclass that, like Node's `Buffer`, copies nothing when it is sliced. */
export class SharingBytes extends Uint8Array<ArrayBuffer> {
  override slice(start?: number, end?: number): SharingBytes {
    return this.subarray(start, end) as SharingBytes;
  }
}

/** Checks that `bytes` are those of `pattern` from `start` on. */
export function checkPattern(bytes: Uint8Array, start: number): void {
  for (let index = 0, place = start % BLOCK_BYTES; index < bytes.length; index++) {
    if (bytes[index] !== block[place])
      equal(bytes[index], block[place], `byte ${start + index} is wrong`);
    place = place + 1 === BLOCK_BYTES ? 0 : place + 1;
  }
}

/** Receives `length` bytes of the pattern. */
export async function receivePattern(
  stream: ByteReceiveStream,
  length: number,
  start = 0,
): Promise<void> {
  let count = 0;
  while (count < length) {
    const chunk = await stream.receive(length - count);
    checkPattern(chunk, start + count);
    count += chunk.length;
  }
}

/** Receives until the end; how many bytes of the pattern those were. */
export async function receivePatternToEnd(stream: ByteReceiveStream, start = 0): Promise<number> {
  let count = 0;
  try {
    for (;;) {
      const chunk = await stream.receive();
      checkPattern(chunk, start + count);
      count += chunk.length;
    }
  } catch (error) {
    if (error instanceof EndOfStream) return count;
    throw error;
  }
}

/** Sends pattern in pieces until the sending fails. @returns what it failed with. */
export async function sendUntilFailure(stream: ByteSendStream): Promise<unknown> {
  const piece = new Uint8Array(65_536);
  for (let count = 0; count < 100_000; count++) {
    try {
      await stream.send(piece);
    } catch (error) {
      return error;
    }
  }
  throw new Error("needed send to fail sooner or later: it never did");
}
