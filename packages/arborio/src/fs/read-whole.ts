import { SystemError } from "../core/errors.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { CHUNK_BYTES_MAX } from "../streams/byte-stream.ts";
import { type PositionedFile, READ_BYTES_MAX } from "./positioned.ts";

/** 2 GiB: what all runtimes can hold in one array, with room to spare. */
export const WHOLE_BYTES_MAX: number = 2 ** 31;

/** All bytes of a file from `start` to `end`, or to its end. `size` is what the system says it is. */
export async function readWhole(
  file: PositionedFile,
  size: number,
  start: number,
  end: number,
  maxBytes: number = WHOLE_BYTES_MAX,
): Promise<Uint8Array> {
  const expected = Math.max(0, Math.min(end, size) - start);
  requireSize(file, expected, maxBytes);
  const whole = new Uint8Array(expected);
  let filled = 0;
  while (filled < expected) {
    const room = whole.subarray(filled, filled + READ_BYTES_MAX);
    const count = await readOwned(file, room, start + filled);
    // It was made shorter meanwhile.
    if (count === 0) return whole.subarray(0, filled);
    filled += count;
  }
  // Devices, and what the kernel makes up in /proc, have the size 0 and bytes all the same.
  return size === 0 && end > start ? await readUnknown(file, start, end, maxBytes) : whole;
}

async function readUnknown(
  file: PositionedFile,
  start: number,
  end: number,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < end - start) {
    const view = new Uint8Array(Math.min(CHUNK_BYTES_MAX, end - start - bytes));
    const count = await readOwned(file, view, start + bytes);
    if (count === 0) break;
    bytes += count;
    requireSize(file, bytes, maxBytes);
    chunks.push(view.subarray(0, count));
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function readOwned(file: PositionedFile, view: Uint8Array, position: number): Promise<number> {
  return hostOperation<number>({
    name: "file.read",
    resource: file,
    begin: (_backend, completion) => file.readOwned(view, position, completion),
  });
}

function requireSize(file: PositionedFile, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new SystemError(
    `read ${file.path}: ${bytes} bytes or more are too many for one array, at most ${maxBytes} are allowed; stream() gives them in chunks (EFBIG)`,
    "EFBIG",
  );
}
