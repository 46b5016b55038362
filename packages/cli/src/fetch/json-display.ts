import { countPhases, type Display } from "./display.ts";
import type { DownloadProgress } from "./download-progress.ts";

/** A line of JSON for each event: a change of phase, progress once a second, and the end. */
export class JsonDisplay implements Display {
  readonly tickMs = 1_000;
  readonly #write: (line: string) => void;
  readonly #receiving: Set<DownloadProgress> = new Set();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  changed(progress: DownloadProgress): void {
    if (progress.phase === "receiving") this.#receiving.add(progress);
    else this.#receiving.delete(progress);
    const { phase, reason, endedAt, startedAt } = progress;
    this.#say({
      event: phase,
      ...whatOf(progress),
      ...(phase === "pausing" || phase === "failed" ? { reason } : {}),
      ...(endedAt === null ? {} : { elapsedMs: Math.round(endedAt - (startedAt ?? endedAt)) }),
    });
  }

  tick(at: number): void {
    for (const progress of this.#receiving) {
      const speed = progress.bytesPerSecond(at);
      this.#say({
        event: "progress",
        ...whatOf(progress),
        bytesPerSecond: speed === null ? null : Math.round(speed),
      });
    }
  }

  end(all: readonly DownloadProgress[]): void {
    this.#say({ event: "end", ...countPhases(all) });
  }

  #say(event: object): void {
    this.#write(`${JSON.stringify(event)}\n`);
  }
}

function whatOf(progress: DownloadProgress): object {
  const { name, url, path, receivedBytes, totalBytes, resumedBytes } = progress;
  return { name, url, path, receivedBytes, totalBytes, resumedBytes };
}
