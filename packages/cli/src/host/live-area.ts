import type { WriteStream } from "node:tty";

/** A part of the terminal that is drawn anew again and again, below what stays. */
export interface LiveArea {
  /** Characters of a line. */
  readonly columns: number;
  /** Draws lines in place of those before. */
  draw(text: string): void;
  /** Writes a line above, which stays. */
  persist(line: string): void;
  /** Takes away what was drawn. */
  close(): void;
}

/** Columns of a terminal that does not tell. */
const COLUMNS = 80;

/** @internal */
export async function openLiveArea(stream: WriteStream): Promise<LiveArea> {
  // Only where there is a terminal: it takes longer to load than all the rest.
  const { createLogUpdate } = await import("log-update");
  // The cursor stays as it is: a process that is killed could not bring it back.
  const update = createLogUpdate(stream, { showCursor: true });
  return {
    get columns() {
      return stream.columns > 0 ? stream.columns : COLUMNS;
    },
    draw: (text) => update(text),
    persist: (line) => update.persist(line),
    close: () => update.clear(),
  };
}
