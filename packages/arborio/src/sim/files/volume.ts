import { PAGE_BYTES, type PageBudget } from "./sparse-bytes.ts";

/** What one disk has room for. */
export class Volume implements PageBudget {
  /** Its number, unique on its host. */
  readonly device: number;
  capacityBytes: number;
  #usedPages = 0;

  constructor(device: number, capacityBytes: number = Infinity) {
    this.device = device;
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedPages * PAGE_BYTES;
  }

  take(): boolean {
    if ((this.#usedPages + 1) * PAGE_BYTES > this.capacityBytes) return false;
    this.#usedPages += 1;
    return true;
  }

  give(count: number): void {
    this.#usedPages -= count;
  }
}
