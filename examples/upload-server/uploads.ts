import { Event } from "arborio";

/** A file that has arrived. */
export interface StoredFile {
  /** The name that it is stored under. */
  readonly name: string;
  readonly bytes: number;
}

/** How an upload is, as its page sees it. */
export interface Progress {
  readonly state: "waiting" | "receiving" | "done" | "failed";
  /** Bytes of files that have been stored so far. */
  readonly receivedBytes: number;
  /** Bytes of the whole form; `null` if the client has not said. */
  readonly totalBytes: number | null;
  readonly files: readonly StoredFile[];
}

/** One upload: told of by who receives it, watched by who shows it. */
export class Upload {
  #progress: Progress = { state: "waiting", receivedBytes: 0, totalBytes: null, files: [] };
  #changed: Event = new Event();

  get progress(): Progress {
    return this.#progress;
  }

  get isOver(): boolean {
    return this.#progress.state === "done" || this.#progress.state === "failed";
  }

  begin(totalBytes: number | null): void {
    this.#change({ state: "receiving", totalBytes });
  }

  received(bytes: number): void {
    this.#change({ receivedBytes: this.#progress.receivedBytes + bytes });
  }

  stored(file: StoredFile): void {
    this.#change({ files: [...this.#progress.files, file] });
  }

  end(state: "done" | "failed"): void {
    this.#change({ state });
  }

  /** Waits until it is not what `seen` was any more. */
  async changedSince(seen: Progress): Promise<void> {
    if (this.#progress === seen) await this.#changed.wait();
  }

  #change(change: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...change };
    const waitedFor = this.#changed;
    this.#changed = new Event();
    waitedFor.set();
  }
}

/** Uploads under names that their pages choose. Whoever comes first, the form or who watches it, makes the entry. */
export class Uploads {
  /** Kept at a time: each is small, but anybody may ask for one. */
  static readonly COUNT_MAX = 1000;

  readonly #uploads: Map<string, Upload> = new Map();

  get(id: string): Upload {
    let upload = this.#uploads.get(id);
    if (upload === undefined) {
      upload = new Upload();
      this.#uploads.set(id, upload);
      const [oldest] = this.#uploads.keys();
      if (this.#uploads.size > Uploads.COUNT_MAX) this.#uploads.delete(oldest as string);
    }
    return upload;
  }
}
