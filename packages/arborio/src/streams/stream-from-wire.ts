import { describeValue } from "../core/arguments.ts";
import type { Wire } from "../platform/wire.ts";
import { WireStream } from "./wire-stream.ts";

/**
 * Makes a byte stream of a wire: waiting, cancellation, buffering and errors as every stream of the library has them. For protocols that
 * give a connection on, as HTTP does when it switches to another protocol. The stream opens the wire, and owns it.
 *
 * @param streamName for messages of errors.
 * @throws TypeError if `wire` is none.
 *
 * The other way is `takeWire`.
 *
 * @example There and back
 * ```ts
 * import { run } from "arborio";
 * import { streamFromWire, takeWire } from "arborio/lowlevel";
 * import { createMemoryStreamPair } from "arborio/streams";
 *
 * await run(async () => {
 *   const [near, far] = createMemoryStreamPair();
 *   using stream = streamFromWire(takeWire(far));
 *   await near.send(new Uint8Array([1]));
 *   console.assert((await stream.receive())[0] === 1);
 * });
 * ```
 */
export function streamFromWire(wire: Wire, streamName: string = "streamFromWire"): WireStream {
  const { open, write, close } = (wire ?? {}) as Partial<Wire>;
  if ([open, write, close].every((method) => typeof method === "function"))
    return new WireStream(wire, streamName);
  throw new TypeError(
    `streamFromWire: got ${describeValue(wire)}, needs a Wire: something with open, pause, resume, write, end and close`,
  );
}
