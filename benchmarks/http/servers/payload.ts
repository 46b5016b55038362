/** What all servers of this suite answer, and how long the large body is. */

/** The body of `http-get`: 13 bytes. */
export const GREETING = "Hello, world!";

/** The body of `http-body`, both ways, in bytes: 1 GiB. */
export const BODY_BYTES: number = 1024 ** 3;

/** A piece of a large body, in bytes. */
const PIECE_BYTES = 64 * 1024;

/** What large bodies are made of. */
export const piece: Uint8Array<ArrayBuffer> = new Uint8Array(PIECE_BYTES).fill(0x61);

/** How many pieces a body of `BODY_BYTES` has. */
export const PIECES: number = BODY_BYTES / PIECE_BYTES;
