import { countPhases, type Display, duration, lastWord, printable, size } from "./display.ts";
import type { DownloadProgress } from "./download-progress.ts";

/** Where lines go: what went well, and what did not. */
export interface LineSinks {
  say(line: string): void;
  warn(line: string): void;
}

/** Plain lines, for files and logs: what happened, and now and then how far it is. */
export class LinesDisplay implements Display {
  readonly tickMs = 10_000;
  readonly #sinks: LineSinks;
  readonly #receiving: Set<DownloadProgress> = new Set();

  constructor(sinks: LineSinks) {
    this.#sinks = sinks;
  }

  changed(progress: DownloadProgress): void {
    const { name, phase, reason, resumedBytes } = progress;
    if (phase === "receiving") this.#receiving.add(progress);
    else this.#receiving.delete(progress);
    if (phase === "failed") this.#sinks.warn(`arborio: ${name}: ${printable(reason)}`);
    else if (phase === "pausing")
      this.#sinks.warn(`arborio: ${name}: ${printable(reason)}; it is tried again`);
    else if (phase === "receiving" && resumedBytes > 0)
      this.#sinks.say(`${name}: goes on behind ${size(resumedBytes)}`);
    else if (progress.isOver) this.#sinks.say(`${name}: ${lastWord(progress)}`);
  }

  tick(at: number): void {
    for (const progress of this.#receiving)
      this.#sinks.say(`${progress.name}: ${howFar(progress, at)}`);
  }

  end(all: readonly DownloadProgress[]): void {
    if (all.length > 1) this.#sinks.say(summary(all));
  }
}

/** How far a download is that receives. */
export function howFar(progress: DownloadProgress, at: number): string {
  const { receivedBytes, totalBytes } = progress;
  const speed = progress.bytesPerSecond(at);
  const remainingMs = progress.remainingMs(at);
  return [
    totalBytes === null ? size(receivedBytes) : `${size(receivedBytes)} of ${size(totalBytes)}`,
    ...(speed === null ? [] : [`${size(Math.round(speed))}/s`]),
    ...(remainingMs === null ? [] : [`${duration(remainingMs)} left`]),
  ].join(", ");
}

/** What has become of all downloads, in a line. */
export function summary(all: readonly DownloadProgress[]): string {
  const { done, existing, failed, unfinished } = countPhases(all);
  return [
    `${done} of ${all.length} downloaded`,
    ...(existing === 0 ? [] : [`${existing} there already`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(unfinished === 0 ? [] : [`${unfinished} not finished`]),
  ].join(", ");
}
