import type { File } from "arborio/fs";

const NEWLINE = 10;
const CHUNK_BYTES = 65_536;

/** Where the last `count` lines of a file begin, of which `size` bytes are to be looked at. It is read from behind. */
export async function startOfLastLines(file: File, size: number, count: number): Promise<number> {
  let missing = count;
  // A newline at the very end ends the last line.
  let end = size - 1;
  while (missing > 0 && end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const bytes = await file.readRange(start, end);
    let at = bytes.length;
    while (missing > 0 && at >= 0) {
      at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1);
      if (at >= 0) missing -= 1;
    }
    if (missing === 0) return start + at + 1;
    end = start;
  }
  return count === 0 ? size : 0;
}
