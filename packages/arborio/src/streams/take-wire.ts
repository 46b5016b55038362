import { describeValue } from "../core/arguments.ts";
import type { Wire } from "../platform/wire.ts";
import type { ByteStream } from "./byte-stream.ts";
import { StreamWire } from "./stream-wire.ts";
import { WireStream } from "./wire-stream.ts";

/**
 * Takes the wire out of a byte stream, for what stands on wires, as TLS and HTTP do: callbacks instead of promises. The stream is closed
 * for everybody else from then on; what it had read ahead comes first. A stream that has no wire gets one that works by its
 * `receive` and `send`.
 *
 * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as `send` and `receive` of the stream.
 * @throws TypeError if `stream` is no byte stream.
 *
 * @example Bytes as they come
 * ```ts
 * import { run, sleep } from "arborio";
 * import { takeWire } from "arborio/lowlevel";
 * import { createMemoryStreamPair } from "arborio/streams";
 *
 * await run(async () => {
 *   const [near, far] = createMemoryStreamPair();
 *   const wire = takeWire(far);
 *   wire.open({
 *     received: (bytes) => wire.write(bytes),
 *     ended: () => wire.close(false),
 *     written() {},
 *     failed() {},
 *   });
 *   await near.send(new Uint8Array([1, 2, 3]));
 *   console.assert((await near.receive()).length === 3);
 *   near.close();
 *   await sleep(1);
 * });
 * ```
 */
export function takeWire(stream: ByteStream): Wire {
  requireStream("takeWire", stream);
  return stream instanceof WireStream ? stream.handOver() : new StreamWire(stream);
}

/** Throws unless `stream` looks like one. */
export function requireStream(where: string, stream: unknown): void {
  const { receive, send, close } = (stream ?? {}) as Partial<ByteStream>;
  if ([receive, send, close].every((method) => typeof method === "function")) return;
  throw new TypeError(
    `${where}: got ${describeValue(stream)}, needs a ByteStream: something with receive, send, sendEof and close`,
  );
}
