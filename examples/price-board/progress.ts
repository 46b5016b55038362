/** What is shown while the board fills. */

import { clearScreenDown, cursorTo, moveCursor } from "node:readline";
import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import type { Board } from "./board.ts";
import type { Entry } from "./entry.ts";
import { formatMs, formatPrice } from "./format.ts";

/** Gets told what happens. */
export interface Progress {
  /** An entry has its price, or its reason. */
  settled(entry: Entry): void;
  /** Time passes. */
  draw(board: Board): void;
  /** Something to say to a person. */
  notice(text: string): void;
  /** The board is over. */
  end(): void;
}

/** Piped, or read by a machine: nothing is ever redrawn. */
export class PlainProgress implements Progress {
  readonly #line: (text: string) => void;
  readonly #notice: (text: string) => void;
  #isFirst = true;

  /**
   * @param line gets a line per settled entry, and an empty one below them.
   * @param notice gets what a person should know.
   */
  constructor(line: (text: string) => void, notice: (text: string) => void) {
    this.#line = line;
    this.#notice = notice;
  }

  settled(entry: Entry): void {
    this.#isFirst = false;
    const { source, state, tries } = entry;
    const what = entry.price === undefined ? `${state}: ${entry.why}` : formatPrice(entry.price);
    const again = tries > 1 ? `, try ${tries}` : "";
    this.#line(
      `${source.name.padEnd(NAME_WIDTH)} ${what} (${formatMs(entry.endedMs - entry.beganMs)}${again})`,
    );
  }

  draw(): void {}

  notice(text: string): void {
    this.#notice(text);
  }

  end(): void {
    if (!this.#isFirst) this.#line("");
  }
}

/** Names are cut or padded to this. */
const NAME_WIDTH = 16;
/** Requests in flight that are shown at most; a person follows no more. */
const SHOWN_MAX = 8;
const BAR_WIDTH = 24;

/** In a terminal: a bar and the requests in flight, redrawn in place. */
export class LiveProgress implements Progress {
  readonly #terminal: WriteStream;
  readonly #deadlineMs: number;
  #lines = 0;
  #notice = "";

  constructor(terminal: WriteStream, deadlineMs: number) {
    this.#terminal = terminal;
    this.#deadlineMs = deadlineMs;
  }

  settled(): void {}

  draw(board: Board): void {
    const lines = this.#render(board);
    // One write for all: no flicker.
    this.#terminal.cork();
    this.#erase();
    this.#terminal.write(lines.map((line) => `${line}\n`).join(""));
    this.#terminal.uncork();
    this.#lines = lines.length;
  }

  notice(text: string): void {
    this.#notice = text;
  }

  end(): void {
    this.#erase();
  }

  #erase(): void {
    // Also when nothing was drawn: the terminal may have echoed a ^C.
    cursorTo(this.#terminal, 0);
    if (this.#lines > 0) moveCursor(this.#terminal, 0, -this.#lines);
    clearScreenDown(this.#terminal);
    this.#lines = 0;
  }

  #render(board: Board): string[] {
    const all = board.entries.length;
    const asking = board.entries.filter((entry) => entry.state === "asking");
    const settled = all - asking.length - board.count("waiting");
    const counts = `${settled}/${all} · ${board.count("price")} prices · ${asking.length} in flight`;
    const time = `${formatMs(board.clockMs)} of ${formatMs(this.#deadlineMs)}`;
    const bar = "━".repeat(Math.round((settled / all) * BAR_WIDTH)).padEnd(BAR_WIDTH, "─");
    const shown = asking.slice(0, Math.min(SHOWN_MAX, (this.#terminal.rows || 24) - 4));
    const more = asking.length - shown.length;
    return [
      this.#line("dim", bar, ` ${counts} · ${time}`),
      ...shown.map((entry) => this.#entryLine(entry, board.clockMs)),
      ...(more > 0 ? [this.#line("dim", `  … and ${more} more`)] : []),
      ...(this.#notice === "" ? [] : [this.#line("yellow", this.#notice)]),
    ];
  }

  #entryLine(entry: Entry, clockMs: number): string {
    const name = entry.source.name.slice(0, NAME_WIDTH).padEnd(NAME_WIDTH);
    const waited = formatMs(clockMs - entry.beganMs).padStart(6);
    const again = entry.tries > 1 ? ` · try ${entry.tries}` : "";
    return this.#line("cyan", `  ${name}`, ` ${waited}${again} · ${entry.doing}`);
  }

  /** A line of which the first part has a style, cut to the terminal's width: a wrapped one would not be erased. */
  #line(style: "cyan" | "dim" | "yellow", first: string, rest = ""): string {
    const width = (this.#terminal.columns || 80) - 1;
    const styled = styleText(style, first.slice(0, width), { stream: this.#terminal });
    return styled + rest.slice(0, Math.max(0, width - first.length));
  }
}
