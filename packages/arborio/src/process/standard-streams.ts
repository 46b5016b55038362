import { ambientScope } from "../core/ambient.ts";
import { backendOf, requireCapability } from "../platform/capabilities.ts";
import type { ByteReceiveStream, ByteSendStream } from "../streams/byte-stream.ts";
import { PullStream } from "../streams/pull-stream.ts";
import { WireStream } from "../streams/wire-stream.ts";

/**
 * The process's standard input as a byte stream: a pipe, a file, a terminal, or nothing (then it has ended at once).
 *
 * It is read only while somebody waits for bytes, and then no more than the runtime's one buffer ahead. So it never keeps the process
 * alive when nobody reads. A cancelled `receive` lost nothing. Each call gives a handle of its own on the same input: what one has
 * not received, the next one gets; but only one of them can wait at a time, the other gets `BusyResourceError`. Closing a handle
 * leaves the process's input open.
 *
 * @throws NotSupportedError if the backend has no standard streams.
 *
 * Counterpart: `anyio.wrap_file(sys.stdin)`, `trio.lowlevel.FdStream(0)`.
 *
 * @example Count what comes in
 * ```ts
 * import { moveOnAfter, run } from "arborio";
 * import { standardInput } from "arborio/process";
 *
 * await run(async () => {
 *   using input = standardInput();
 *   let bytes = 0;
 *   await moveOnAfter(1, async () => {
 *     for await (const chunk of input) bytes += chunk.length;
 *   });
 *   console.assert(bytes >= 0);
 * });
 * ```
 */
export function standardInput(): ByteReceiveStream {
  const streams = requireCapability(backendOf(ambientScope()), "standardStreams", "standardInput");
  return new PullStream(streams.openInput(), "standardInput");
}

/**
 * The process's standard output as a byte stream. `send` waits until the system has the bytes: a slow reader of a pipe holds up who
 * sends, and nobody else. What was sent before the program ends by itself is complete.
 *
 * Each call gives a handle of its own; what they send does not mix. Closing one leaves the process's output, and `console`, as they
 * are. When nobody reads any more, `send` throws `BrokenResourceError` with the cause `EPIPE`, and nothing else happens: no signal, no
 * uncaught error. What a cancelled `send` had handed over may still go out.
 *
 * @throws NotSupportedError if the backend has no standard streams.
 *
 * Counterpart: `anyio.wrap_file(sys.stdout)`, `trio.lowlevel.FdStream(1)`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { standardOutput } from "arborio/process";
 *
 * await run(async () => {
 *   using output = standardOutput();
 *   await output.send(new TextEncoder().encode("ready\n"));
 * });
 * ```
 */
export function standardOutput(): ByteSendStream {
  return openOutput("output", "standardOutput");
}

/**
 * The process's standard error as a byte stream; otherwise as `standardOutput`.
 *
 * @throws NotSupportedError if the backend has no standard streams.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { standardError } from "arborio/process";
 *
 * await run(() => standardError().send(new TextEncoder().encode("something to know\n")));
 * ```
 */
export function standardError(): ByteSendStream {
  return openOutput("error", "standardError");
}

function openOutput(which: "output" | "error", name: string): ByteSendStream {
  const streams = requireCapability(backendOf(ambientScope()), "standardStreams", name);
  return new WireStream(streams.openOutput(which), name);
}
