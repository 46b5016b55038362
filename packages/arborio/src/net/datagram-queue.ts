import { describeValue, requireCount } from "../core/arguments.ts";
import type { SocketAddress } from "../platform/wire.ts";
import { RingBuffer } from "../sync/ring-buffer.ts";

/** So many datagrams are kept unless told otherwise: what a server of small requests gets during a slow turn of the host. */
const QUEUE_DATAGRAMS = 128;
/** So many bytes are kept unless told otherwise: about five times what Linux keeps for a socket. */
const QUEUE_BYTES = 1_048_576;
/** No datagram of UDP is larger, so one that comes alone always has room. */
const QUEUE_BYTES_MIN = 65_536;

/**
 * How many datagrams are kept that came and that nobody has received. The runtimes read datagrams whether anybody wants them or not, so
 * that the queue is not the system's but ours.
 */
export interface DatagramQueueOptions {
  /** So many datagrams; a whole number from 1 on. Default 128. */
  readonly queueDatagrams?: number;
  /** So many bytes of them; a whole number from 65,536 on. Default 1,048,576. */
  readonly queueBytes?: number;
  /** What is dropped for want of room: those that have waited longest, or the one that comes. Default `"drop-oldest"`. */
  readonly overflow?: "drop-oldest" | "drop-newest";
}

/** A datagram, and where it came from. */
export interface Datagram<Address extends SocketAddress = SocketAddress> {
  /** Its bytes, perhaps none. They are yours. */
  readonly data: Uint8Array;
  /** Whom to answer. */
  readonly address: Address;
}

/** The limits of a queue. */
export interface QueueLimits {
  readonly datagrams: number;
  readonly bytes: number;
  /** `"stop"`: nothing is dropped, since reading stops while there is no room. */
  readonly overflow: "drop-oldest" | "drop-newest" | "stop";
}

/** For sockets of which the runtime can stop reading. */
export const STOPPING: QueueLimits = {
  datagrams: QUEUE_DATAGRAMS,
  bytes: QUEUE_BYTES,
  overflow: "stop",
};

/** Checks the options of a queue. `where` names the function that has them. */
export function queueLimits(where: string, options: DatagramQueueOptions): QueueLimits {
  const { queueDatagrams = QUEUE_DATAGRAMS, queueBytes = QUEUE_BYTES } = options;
  const { overflow = "drop-oldest" } = options;
  requireCount(`${where}({ queueDatagrams })`, queueDatagrams, 1, false);
  requireCount(`${where}({ queueBytes })`, queueBytes, QUEUE_BYTES_MIN, false);
  if (overflow !== "drop-oldest" && overflow !== "drop-newest") {
    throw new RangeError(
      `${where}({ overflow }): got ${describeValue(overflow)}, needs "drop-oldest" or "drop-newest"`,
    );
  }
  return { datagrams: queueDatagrams, bytes: queueBytes, overflow };
}

/** Datagrams that have come and that nobody has received, with a limit of their number and one of their bytes. */
export class DatagramQueue {
  #limits: QueueLimits;
  readonly #datagrams: RingBuffer<Datagram> = new RingBuffer();
  /** Bytes that are there. */
  bytes = 0;
  /** How many were dropped for want of room. */
  dropped = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** The runtime cannot stop reading after all: what comes is dropped instead. */
  dropInstead(): void {
    if (this.#limits.overflow === "stop")
      this.#limits = { ...this.#limits, overflow: "drop-newest" };
  }

  get size(): number {
    return this.#datagrams.size;
  }

  /** Whether reading should stop until something is taken. */
  get isFull(): boolean {
    const { datagrams, bytes, overflow } = this.#limits;
    return overflow === "stop" && (this.size >= datagrams || this.bytes >= bytes);
  }

  /** Keeps a datagram, and drops what the limits demand: others, or this one. */
  add(datagram: Datagram): void {
    const { overflow } = this.#limits;
    const { length } = datagram.data;
    if (overflow === "drop-oldest") {
      while (this.size > 0 && !this.#hasRoom(length)) {
        this.#shift();
        this.dropped += 1;
      }
    }
    if (overflow === "drop-newest" && !this.#hasRoom(length)) {
      this.dropped += 1;
      return;
    }
    this.#datagrams.push(datagram);
    this.bytes += length;
  }

  /** Takes the one that has waited longest. */
  take(): Datagram | undefined {
    return this.size === 0 ? undefined : this.#shift();
  }

  clear(): void {
    this.#datagrams.clear();
    this.bytes = 0;
  }

  #shift(): Datagram {
    const datagram = this.#datagrams.shift();
    this.bytes -= datagram.data.length;
    return datagram;
  }

  #hasRoom(bytes: number): boolean {
    return this.size < this.#limits.datagrams && this.bytes + bytes <= this.#limits.bytes;
  }
}
