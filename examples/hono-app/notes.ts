/** One note. */
export interface Note {
  readonly id: number;
  readonly text: string;
}

/** Notes in memory: a few, since anybody may leave one. The oldest makes room for a new one. */
export class Notes {
  /** How many are kept: what fits on a page. */
  static readonly COUNT_MAX = 100;
  /** In characters: a note, not a file. */
  static readonly TEXT_MAX = 1000;

  readonly #notes: Map<number, Note> = new Map();
  #next = 1;

  get all(): Note[] {
    return [...this.#notes.values()];
  }

  find(id: number): Note | undefined {
    return this.#notes.get(id);
  }

  /** @throws RangeError if the text is empty or too long. */
  add(text: string): Note {
    if (text === "" || text.length > Notes.TEXT_MAX) {
      throw new RangeError(
        `a note: got ${text.length} characters, needs 1 to ${String(Notes.TEXT_MAX)}`,
      );
    }
    const note: Note = { id: this.#next++, text };
    this.#notes.set(note.id, note);
    const [oldest] = this.#notes.keys();
    if (this.#notes.size > Notes.COUNT_MAX) this.#notes.delete(oldest as number);
    return note;
  }

  remove(id: number): boolean {
    return this.#notes.delete(id);
  }
}
