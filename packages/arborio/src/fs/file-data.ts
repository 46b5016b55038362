/** What is written to files: text, bytes, or many of them one after the other. */
import { describeValue } from "../core/arguments.ts";
import { SystemError } from "../core/errors.ts";
import { abandonOnCancel } from "../sync/abandon-on-cancel.ts";
import { PartialWriteError } from "./errors.ts";

/** What a file may be written with. Text goes out in UTF-8. Streams of the library are async iterables. */
export type FileData = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** Between two pieces of this size the writing of a large array can be cancelled. */
const PIECE_BYTES_MAX: number = 1024 * 1024;

const encoder: TextEncoder = new TextEncoder();

/** The bytes of what is to be written. */
export function bytesOf(where: string, data: string | Uint8Array): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError(`${where}: got ${describeValue(data)}, needs a string or a Uint8Array`);
}

/** Throws unless `data` is something to write: before a file is emptied for it. */
export function requireData(where: string, data: unknown): void {
  if (typeof data === "string" || data instanceof Uint8Array || isAsyncIterable(data)) return;
  throw new TypeError(
    `${where}: got ${describeValue(data)}, needs a string, a Uint8Array, or an async iterable of them`,
  );
}

function isAsyncIterable(data: unknown): boolean {
  const method = (data as Partial<AsyncIterable<unknown>> | null | undefined)?.[
    Symbol.asyncIterator
  ];
  return typeof method === "function";
}

/** Where data goes. */
export interface DataTarget {
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes all of `data`, and returns how many bytes that were. An error that comes after some were written tells how many. */
export async function writeData(where: string, to: DataTarget, data: FileData): Promise<number> {
  let written = 0;
  try {
    if (typeof data === "string" || data instanceof Uint8Array) {
      const bytes = bytesOf(where, data);
      do written += await to.write(bytes.subarray(written, written + PIECE_BYTES_MAX));
      while (written < bytes.length);
    } else {
      await forEachOf(data, async (piece) => {
        written += await to.write(bytesOf(where, piece));
      });
    }
    return written;
  } catch (error) {
    throw written > 0 && error instanceof SystemError ? tellAll(error, written) : error;
  }
}

/** The same error, about all that was written and not the last piece alone. */
function tellAll(error: SystemError, before: number): PartialWriteError {
  const cause = error instanceof PartialWriteError ? (error.cause as SystemError) : error;
  const written = before + (error instanceof PartialWriteError ? error.writtenBytes : 0);
  const message = `${cause.message}; ${written} bytes were written`;
  return new PartialWriteError(message, error.systemCode, written, { cause });
}

/** Calls `take` with each piece. What a foreign iterable waits for is abandoned when the flow is cancelled: it must not hold up the end. */
async function forEachOf<T>(data: AsyncIterable<T>, take: (piece: T) => Promise<void>) {
  const iterator = data[Symbol.asyncIterator]();
  const isForeign = typeof (data as { receive?: unknown }).receive !== "function";
  let ended = false;
  try {
    for (;;) {
      const step = await (isForeign ? abandonOnCancel(() => iterator.next()) : iterator.next());
      ended = step.done === true;
      if (step.done === true) return;
      await take(step.value);
    }
  } finally {
    if (!ended) leave(iterator);
  }
}

/** Tells an iterator that nobody wants more. What comes of that is its own business. */
function leave(iterator: AsyncIterator<unknown>): void {
  void (async () => iterator.return?.())().catch(() => {});
}
