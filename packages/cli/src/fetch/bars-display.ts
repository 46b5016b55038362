import type { LiveArea } from "../host/live-area.ts";
import type { Style } from "../host/shell.ts";
import { type Display, lastWord, printable } from "./display.ts";
import type { DownloadProgress } from "./download-progress.ts";
import { howFar, summary } from "./lines-display.ts";

/** Styles text, or does not. */
export type Paint = (style: Style, text: string) => string;

/** Characters of a bar at most: longer ones are not easier to read. */
const BAR_MAX = 30;

/** Below this, names and numbers need all the room. */
const BAR_MIN = 8;

/** Characters of a name at most, in a column of their own. */
const NAME_MAX = 32;

/** A bar for each download that goes on, in a terminal; those that are over leave a line above. */
export class BarsDisplay implements Display {
  readonly tickMs = 100;
  readonly #area: LiveArea;
  readonly #paint: Paint;
  readonly #active: Set<DownloadProgress> = new Set();
  readonly #now: () => number;

  constructor(area: LiveArea, paint: Paint, now: () => number) {
    this.#area = area;
    this.#paint = paint;
    this.#now = now;
  }

  changed(progress: DownloadProgress): void {
    if (!progress.isOver) {
      this.#active.add(progress);
      return;
    }
    this.#active.delete(progress);
    this.#area.persist(overLine(progress, this.#paint));
    this.tick(this.#now());
  }

  tick(at: number): void {
    const { columns } = this.#area;
    const names = [...this.#active].map(({ name }) => name.length);
    // A line of all columns would be followed by an empty one.
    const room = { columns: columns - 1, name: Math.min(NAME_MAX, Math.max(0, ...names)) };
    const lines = [...this.#active].map((one) => activeLine(one, at, room, this.#paint));
    this.#area.draw(lines.join("\n"));
  }

  end(all: readonly DownloadProgress[]): void {
    this.#area.close();
    if (all.length > 1) this.#area.persist(summary(all));
  }
}

function overLine(progress: DownloadProgress, paint: Paint): string {
  const [style, sign] =
    progress.phase === "failed"
      ? (["red", "✗"] as const)
      : progress.phase === "done"
        ? (["green", "✓"] as const)
        : (["dim", "="] as const);
  return `${paint(style, sign)} ${progress.name}: ${lastWord(progress)}`;
}

/** Characters of a line, and of the column of names. */
interface Room {
  readonly columns: number;
  readonly name: number;
}

/** The line about a download that goes on. */
function activeLine(progress: DownloadProgress, at: number, room: Room, paint: Paint): string {
  const name = shortened(progress.name, room.name).padEnd(room.name);
  if (progress.phase !== "receiving") {
    const doing =
      progress.phase === "pausing" ? `${printable(progress.reason)}; again soon` : progress.phase;
    return cutTo(`  ${name}  ${doing}`, room.columns);
  }
  const far = howFar(progress, at);
  const barWidth = Math.min(BAR_MAX, room.columns - name.length - far.length - 6);
  const { totalBytes, receivedBytes } = progress;
  if (totalBytes === null || barWidth < BAR_MIN) return cutTo(`  ${name}  ${far}`, room.columns);
  const share = totalBytes === 0 ? 1 : Math.min(1, receivedBytes / totalBytes);
  const filled = Math.floor(share * barWidth);
  const bar = paint("green", "━".repeat(filled)) + paint("dim", "─".repeat(barWidth - filled));
  return `  ${name}  ${bar}  ${far}`;
}

function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const characters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

function cutTo(text: string, length: number): string {
  return shortened(text, Math.max(1, length));
}
