/** How far the work is: it only counts, and neither knows time nor prints. */
export class Progress {
  #files = 0;
  #bytes = 0;

  hashed(bytes: number): void {
    this.#bytes += bytes;
  }

  fileDone(): void {
    this.#files += 1;
  }

  /** `"1200 files, 3.4 GB, 512.0 MB/s"`. */
  describe(elapsedMs: number): string {
    const rate = elapsedMs > 0 ? (this.#bytes * 1000) / elapsedMs : 0;
    const files = `${this.#files} ${this.#files === 1 ? "file" : "files"}`;
    return `${files}, ${inUnits(this.#bytes)}, ${inUnits(rate)}/s`;
  }
}

const UNITS = ["kB", "MB", "GB", "TB", "PB"];

function inUnits(bytes: number): string {
  let [amount, unit] = [Math.floor(bytes), "B"];
  for (const larger of UNITS) {
    if (amount < 1000) break;
    [amount, unit] = [amount / 1000, larger];
  }
  return `${unit === "B" ? amount : amount.toFixed(1)} ${unit}`;
}
