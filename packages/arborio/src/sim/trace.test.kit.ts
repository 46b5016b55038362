import { now } from "../index.ts";

/** What happened in a simulated run, and when, in one number. */
export class Trace {
  readonly lines: string[] = [];

  note(what: string): void {
    this.lines.push(`${now()} ${what}`);
  }

  /** FNV-1a over the lines, in 32 bits. */
  get hash(): string {
    let hash = 0x811c9dc5;
    for (const char of this.lines.join("\n"))
      hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
    return (hash >>> 0).toString(16).padStart(8, "0");
  }
}
