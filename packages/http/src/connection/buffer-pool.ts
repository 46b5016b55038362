/** Size of the buffers that are lent: a head, a small body, and what pipelined answers join. Larger ones are made and not kept. */
const BUFFER_BYTES = 16_384;

/** So many buffers are kept for the next who needs one: more are only in use while writes wait for slow peers. */
const BUFFERS_MAX = 64;

/** Lends buffers for what goes out, so that connections that send nothing have none. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  /** A buffer of at least so many bytes; its contents are undefined. */
  take(bytes: number): Uint8Array {
    if (bytes > BUFFER_BYTES) return new Uint8Array(bytes);
    return this.#free.pop() ?? new Uint8Array(BUFFER_BYTES);
  }

  /** Takes a buffer back that nobody reads any more. */
  give(buffer: Uint8Array): void {
    if (buffer.length === BUFFER_BYTES && this.#free.length < BUFFERS_MAX) this.#free.push(buffer);
  }
}
