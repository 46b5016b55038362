import { SystemError } from "arborio";
import { type File, type FileStat, openFile, stat } from "arborio/fs";
import { startOfLastLines } from "./last-lines.ts";

const NEWLINE = 10;
/** Bytes read at once. */
const READ_BYTES = 65_536;
/** A line that is longer is cut into several: one that never ends must not fill the memory. */
const LINE_BYTES_MAX = 1_048_576;
const NOTHING = new Uint8Array(0);

/** Where what is found goes. */
export interface FollowedFileOutput {
  /** Gets whole lines, one or many, with their newlines. It may make the reading wait. */
  readonly lines: (bytes: Uint8Array) => Promise<void>;
  /** Is told what becomes of the file. */
  readonly note: (text: string) => void;
}

/**
 * A path whose file is followed: as it grows, is cut off, goes and comes again, or is renamed and replaced by another. It looks only
 * when it is told to.
 */
export class FollowedFile implements Disposable {
  readonly path: string;
  readonly #output: FollowedFileOutput;
  #file: File | null = null;
  #identity = "";
  #position = 0;
  /** The end of what was read: a line of which the newline is still to come. */
  #part: Uint8Array = NOTHING;
  #trouble = "";

  constructor(path: string, output: FollowedFileOutput) {
    this.path = path;
    this.#output = output;
  }

  /** Begins with the last so many lines. */
  open(lastLines: number): Promise<void> {
    return this.#look((file, { size }) => startOfLastLines(file, size, lastLines));
  }

  /** Passes on what has come since the last time. */
  look(): Promise<void> {
    return this.#look(() => Promise.resolve(0));
  }

  async #look(startOf: StartOf): Promise<void> {
    try {
      const facts = await factsOf(this.path);
      // Also of one that has gone or was replaced: whoever writes may have written more before, and may still.
      if (this.#file !== null) await this.#read(this.#file);
      if (facts instanceof SystemError) throw facts;
      // As long as it is open, no other file can have its number.
      const isOther = identityOf(facts) !== this.#identity;
      if (isOther) await this.#begin(startOf);
      else if (this.#trouble !== "") this.#output.note("is there again");
      this.#trouble = "";
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const text = error.systemCode === "ENOENT" ? "is not there" : error.message;
      if (this.#trouble !== error.systemCode) this.#output.note(text);
      this.#trouble = error.systemCode;
    }
  }

  async #begin(startOf: StartOf): Promise<void> {
    await this.#flush();
    const wasThere = this.#file !== null;
    this.#file?.close();
    this.#identity = "";
    this.#file = null;
    const file = await openFile(this.path);
    try {
      const facts = await file.stat();
      this.#position = await startOf(file, facts);
      this.#identity = identityOf(facts);
      this.#file = file;
    } finally {
      if (this.#file === null) file.close();
    }
    if (this.#trouble !== "") this.#output.note("has come");
    else if (wasThere) this.#output.note("is another file now");
    await this.#read(file);
  }

  async #read(file: File): Promise<void> {
    if ((await file.stat()).size < this.#position) {
      this.#output.note("was cut off");
      await this.#flush();
      this.#position = 0;
    }
    for (;;) {
      const bytes = await file.read(READ_BYTES, this.#position);
      if (bytes.length === 0) return;
      await this.#take(bytes);
    }
  }

  /** What has been passed on counts as read, and nothing else: so a cancelled look loses nothing. */
  async #take(bytes: Uint8Array): Promise<void> {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const rest = bytes.subarray(end);
    if (end > 0) await this.#output.lines(concatenated(this.#part, bytes.subarray(0, end)));
    this.#part = concatenated(end > 0 ? NOTHING : this.#part, rest);
    this.#position += bytes.length;
    if (this.#part.length > LINE_BYTES_MAX) await this.#flush();
  }

  /** A line that will have no newline any more gets one. */
  async #flush(): Promise<void> {
    const part = this.#part;
    if (part.length === 0) return;
    await this.#output.lines(concatenated(part, Uint8Array.of(NEWLINE)));
    this.#part = NOTHING;
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

type StartOf = (file: File, facts: FileStat) => Promise<number>;

async function factsOf(path: string): Promise<FileStat | SystemError> {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
}

function identityOf({ device, inode }: FileStat): string {
  return `${device} ${inode}`;
}

function concatenated(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
