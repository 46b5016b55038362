import { createChannel, type SendChannel } from "arborio";

/** So many lines may wait for a guest who reads slowly; then the guest is shown out. */
const WAITING_LINES_MAX = 100;

/** One who is in the room. */
export interface Guest {
  readonly name: string;
  /** Lines for the guest, until the room lets go. */
  readonly lines: AsyncIterable<string>;
}

/**
 * Who is there, and what each is still to read. It never waits: a guest who reads slowly costs at most so many lines, and holds up
 * nobody.
 */
export class Room {
  readonly #outboxes: Map<string, SendChannel<string>> = new Map();

  get names(): readonly string[] {
    return [...this.#outboxes.keys()];
  }

  /** Lets somebody in and tells the others; `undefined` if the name is taken. */
  enter(name: string): Guest | undefined {
    if (this.#outboxes.has(name)) return undefined;
    const [outbox, lines] = createChannel<string>(WAITING_LINES_MAX);
    this.say(`* ${name} has come`);
    this.#outboxes.set(name, outbox);
    return { name, lines };
  }

  /** Tells all, but for one if it is named. */
  say(line: string, except?: string): void {
    for (const [name, outbox] of this.#outboxes) {
      if (name === except) continue;
      const { currentBufferUsed, tasksWaitingReceive } = outbox.statistics();
      if (currentBufferUsed < WAITING_LINES_MAX || tasksWaitingReceive > 0) outbox.sendNowait(line);
      else this.leave(name, "reads too slowly");
    }
  }

  /** Lets somebody go and tells the others; what waits for that guest can still be read. */
  leave(name: string, why = ""): void {
    const outbox = this.#outboxes.get(name);
    if (outbox === undefined) return;
    this.#outboxes.delete(name);
    outbox.close();
    this.say(`* ${name} has gone${why === "" ? "" : `: ${why}`}`);
  }

  /** Lets everybody go, with a last word. */
  close(word: string): void {
    this.say(word);
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#outboxes.clear();
  }
}
