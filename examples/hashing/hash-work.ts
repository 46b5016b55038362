/** What runs in the threads. */
import { type File, openFile } from "arborio/fs";
import { createDigest } from "arborio/lowlevel";
import { fromThread } from "arborio/threads";

/** Bytes read at once. */
const READ_BYTES = 1_048_576;
/** After so many bytes the program is told: seldom enough to cost nothing, often enough for people. */
const TELL_BYTES = 16_777_216;

/** What the program gives to each call: so many more bytes were hashed. */
const program = fromThread.of<{ hashed(bytes: number): void }>();

/** The SHA-256 of a file, in hexadecimal digits, and how many bytes were hashed since the program was told last. */
export async function hashFile(path: string): Promise<{ digest: string; bytes: number }> {
  using file: File = await openFile(path);
  const digest = createDigest("sha-256");
  const memory = new Uint8Array(READ_BYTES);
  let bytes = 0;
  for (;;) {
    const count = await file.readInto(memory);
    if (count === 0) return { digest: hexadecimal(digest.digest()), bytes };
    digest.update(memory.subarray(0, count));
    bytes += count;
    if (bytes < TELL_BYTES) continue;
    await program.run("hashed", bytes);
    bytes = 0;
  }
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
