import { createChannel, type ReceiveChannel, type SendChannel } from "arborio";
import type { ToGuest } from "./messages.ts";

/** So many messages may wait for a guest who reads slowly; then it is shown out. */
const WAITING_MAX = 100;

/** One who is in a room. */
export class Guest {
  readonly name: string;
  /** What it is still to be told; ends when it was shown out. */
  readonly told: ReceiveChannel<ToGuest>;
  readonly #outbox: SendChannel<ToGuest>;
  room: string;

  constructor(name: string, room: string) {
    this.name = name;
    this.room = room;
    [this.#outbox, this.told] = createChannel<ToGuest>(WAITING_MAX);
  }

  /** Never waits. @returns `false`: it reads too slowly. */
  tell(message: ToGuest): boolean {
    const { currentBufferUsed, tasksWaitingReceive } = this.#outbox.statistics();
    if (currentBufferUsed >= WAITING_MAX && tasksWaitingReceive === 0) return false;
    this.#outbox.sendNowait(message);
    return true;
  }

  /** There is nothing more to tell. */
  showOut(): void {
    this.#outbox.close();
  }
}

/** Who is in which room. It never waits: a guest who reads slowly holds up nobody. */
export class Rooms {
  readonly #rooms: Map<string, Map<string, Guest>> = new Map();

  /** Rooms in which somebody is; of others nothing is kept. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Lets somebody into a room; `null` if its name is taken there. */
  enter(name: string, room: string): Guest | null {
    const guests = this.#rooms.get(room) ?? new Map<string, Guest>();
    if (guests.has(name)) return null;
    const guest = new Guest(name, room);
    this.#settle(guest, guests);
    return guest;
  }

  /** @returns `false`: the name is taken there. */
  move(guest: Guest, room: string): boolean {
    const guests = this.#rooms.get(room) ?? new Map<string, Guest>();
    if (guests.has(guest.name)) return false;
    this.leave(guest);
    guest.room = room;
    this.#settle(guest, guests);
    return true;
  }

  /** Tells all in the room of `guest`, also itself. */
  say(guest: Guest, text: string): void {
    this.#tell(guest.room, { type: "said", name: guest.name, text });
  }

  leave(guest: Guest): void {
    const guests = this.#rooms.get(guest.room);
    if (guests?.get(guest.name) !== guest) return;
    guests.delete(guest.name);
    if (guests.size === 0) this.#rooms.delete(guest.room);
    this.#tell(guest.room, { type: "left", name: guest.name });
  }

  #settle(guest: Guest, guests: Map<string, Guest>): void {
    this.#tell(guest.room, { type: "came", name: guest.name });
    guests.set(guest.name, guest);
    this.#rooms.set(guest.room, guests);
    guest.tell({ type: "entered", room: guest.room, names: [...guests.keys()] });
  }

  #tell(room: string, message: ToGuest): void {
    const slow: Guest[] = [];
    for (const guest of this.#rooms.get(room)?.values() ?? [])
      if (!guest.tell(message)) slow.push(guest);
    // After all others were told: that somebody leaves is told too.
    for (const guest of slow) {
      guest.showOut();
      this.leave(guest);
    }
  }
}
