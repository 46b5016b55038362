import { requireCount, requireFlag, requireOptions } from "../core/arguments.ts";
import { createMemoryWires, type MemoryWire } from "./memory-wire.ts";
import { WireStream } from "./wire-stream.ts";

/** Options of `createMemoryStreamPair` and `createMemoryPipe`. */
export interface MemoryStreamOptions {
  /**
   * How many bytes, each way, may have been sent and not received; beyond that `send` waits. A whole number from 0 on. 0 is
   * lockstep: `send` ends when the other side has received everything. Default 65,536.
   */
  readonly capacity?: number;
  /** Whether what is sent stays under way until `pump` is called: for tests. Default `false`. */
  readonly held?: boolean;
}

/** Room for what is sent and not received, in bytes, unless told otherwise: about what a system gives a pipe. */
const CAPACITY_BYTES = 65_536;

/**
 * Makes two streams that are connected to one another: what one sends, the other receives. They behave as the two ends of a
 * socket: half-close, back-pressure, failure if the other side closes with bytes unread. Nothing about them depends on the host.
 *
 * @throws RangeError if `capacity` is no whole number from 0 on; TypeError if an option is of the wrong type.
 *
 * Counterpart: `trio.testing.memory_stream_pair`; with a capacity of 0 `trio.testing.lockstep_stream_pair`.
 *
 * @example A protocol tested without a socket
 * ```ts
 * import { run } from "arborio";
 * import { createMemoryStreamPair } from "arborio/streams";
 *
 * await run(async (group) => {
 *   const [client, server] = createMemoryStreamPair({ capacity: 0 });
 *   group.startSoon(async () => {
 *     for await (const chunk of server) await server.send(chunk.map((byte) => byte + 1));
 *     server.close();
 *   });
 *   await client.send(Uint8Array.of(1));
 *   console.assert((await client.receive())[0] === 2);
 *   await client.sendEof();
 * });
 * ```
 */
export function createMemoryStreamPair(
  options: MemoryStreamOptions = {},
): [MemoryStream, MemoryStream] {
  return connectedStreams("createMemoryStreamPair", options, ["MemoryStream", "MemoryStream"]);
}

/** @internal A pair of streams with these names, for messages. */
export function connectedStreams(
  where: string,
  options: MemoryStreamOptions,
  names: readonly [string, string],
): [MemoryStream, MemoryStream] {
  requireOptions(where, options, "{ capacity: 65_536 }");
  const { capacity = CAPACITY_BYTES, held = false } = options;
  requireCount(`${where}({ capacity })`, capacity, 0);
  requireFlag(`${where}({ held })`, held);
  const [first, second] = createMemoryWires({ capacityBytes: capacity, held });
  return [new MemoryStream(first, names[0]), new MemoryStream(second, names[1])];
}

/** One of two connected streams in memory, made by `createMemoryStreamPair`. */
export class MemoryStream extends WireStream {
  /** @internal */ declare readonly wire: MemoryWire;

  /** @internal */
  constructor(wire: MemoryWire, streamName: string) {
    super(wire, streamName);
  }

  /** Number of bytes that were sent here and are held. */
  get heldBytes(): number {
    return this.wire.heldBytes;
  }

  /**
   * Lets bytes go to the other side that were sent here and are held. Synchronous; works from any context.
   *
   * @param maxBytes at most so many; a whole number from 0 on, or `Infinity`. Default: all.
   * @returns how many those were.
   *
   * Counterpart: `trio.testing.memory_stream_pump`.
   */
  pump(maxBytes: number = Infinity): number {
    requireCount(`${this.streamName}.pump`, maxBytes, 0);
    return this.wire.release(maxBytes);
  }

  /** @internal */
  override taken(bytes: number): void {
    this.wire.taken(bytes);
  }
}
