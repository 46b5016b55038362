import { requireKnown } from "../core/arguments.ts";
import { BufferedByteReceiveStream } from "../streams/buffered-byte-stream.ts";
import type { ByteReceiveStream } from "../streams/byte-stream.ts";
import { LineParser, lineRules } from "../streams/line-parser.ts";
import type { FileRangeOptions } from "./file.ts";

/** Options of `File.lines`. */
export interface FileLinesOptions extends FileRangeOptions {
  /** So many bytes a line may have, its end not counted. Default 1,048,576. `Infinity`: as many as there is memory for. */
  readonly maxBytes?: number;
  /** Label of the encoding, one in which a line end is the byte 10: not UTF-16. Default `"utf-8"`. */
  readonly encoding?: string;
}

/** Longest line, in bytes, unless told otherwise. Records in lines are long at times; what is longer is mostly no text at all. */
const LINE_BYTES_MAX: number = 1024 * 1024;

const BYTE_ORDER_MARK = "\uFEFF";

const NAMES: Readonly<Record<keyof FileLinesOptions, true>> = {
  start: true,
  end: true,
  maxBytes: true,
  encoding: true,
};

/** The lines of what a stream gives. */
export class FileLines implements AsyncIterableIterator<string, undefined, undefined> {
  readonly #stream: BufferedByteReceiveStream;
  readonly #parser: LineParser;
  /** A byte order mark may come: nothing has come yet, and this is the start of the file. */
  #markMayCome: boolean;

  constructor(open: () => ByteReceiveStream, options: FileLinesOptions) {
    requireKnown("File.lines", options, NAMES);
    const { start = 0, maxBytes = LINE_BYTES_MAX, encoding = "utf-8" } = options;
    this.#parser = new LineParser(lineRules("File", "lines", { maxBytes, encoding }));
    this.#markMayCome = start === 0;
    this.#stream = new BufferedByteReceiveStream(open());
  }

  next(): Promise<IteratorResult<string, undefined>> {
    const step = this.#stream.parseNext(this.#parser);
    return this.#markMayCome ? this.#withoutMark(step) : step;
  }

  async #withoutMark(
    step: Promise<IteratorResult<string, undefined>>,
  ): Promise<IteratorResult<string, undefined>> {
    const { done, value } = await step;
    this.#markMayCome = false;
    if (done === true) return { done, value };
    return { done: false, value: value.startsWith(BYTE_ORDER_MARK) ? value.slice(1) : value };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
