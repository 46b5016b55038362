import { moveOnAfter, taskGroup } from "arborio";
import { WebSocketClosedError, type WebSocketConnection } from "@arborio/http";
import { MessageError, parseMessage, type ToGuest } from "./messages.ts";
import type { Guest, Rooms } from "./rooms.ts";

/** So long, in milliseconds, a connection may be there without saying who it is. */
const ENTER_MS = 10_000;

/** Codes for the page (RFC 6455 §7.4.2 leaves these to programs). */
const CODE_TOO_LATE = 4000;
const CODE_TOO_SLOW = 4001;

/** One guest, from coming to leaving: the WebSocket is closed when this ends. */
export async function attend(socket: WebSocketConnection, rooms: Rooms): Promise<void> {
  const guest = await moveOnAfter(ENTER_MS, () => entering(socket, rooms));
  if (guest === undefined) return socket.close(CODE_TOO_LATE, "nobody has entered");
  if (guest === null) return;
  try {
    await taskGroup(async (group) => {
      group.startSoon(() => telling(socket, guest), { daemon: true });
      await listening(socket, rooms, guest);
    });
  } finally {
    rooms.leave(guest);
  }
}

/** Until it has said who it is; `null`: it has gone. */
async function entering(socket: WebSocketConnection, rooms: Rooms): Promise<Guest | null> {
  for await (const received of socket) {
    const why = await refusalOf(() => {
      const message = parseMessage(received);
      if (message.type !== "enter") throw new MessageError("enter a room first");
      const guest = rooms.enter(message.name, message.room);
      if (guest === null) throw new MessageError("that name is taken in this room");
      return guest;
    });
    if (typeof why !== "string") return why;
    await send(socket, { type: "refused", why });
  }
  return null;
}

async function listening(socket: WebSocketConnection, rooms: Rooms, guest: Guest): Promise<void> {
  for await (const received of socket) {
    const why = await refusalOf(() => {
      const message = parseMessage(received);
      if (message.type === "enter") throw new MessageError("you are in a room already: move");
      if (message.type === "say") rooms.say(guest, message.text);
      else if (!rooms.move(guest, message.room))
        throw new MessageError("that name is taken in that room");
      return null;
    });
    if (why !== null) guest.tell({ type: "refused", why });
  }
}

/** What it is told leaves at its own pace. */
async function telling(socket: WebSocketConnection, guest: Guest): Promise<void> {
  try {
    for await (const message of guest.told) await send(socket, message);
    await socket.close(CODE_TOO_SLOW, "you read too slowly");
  } catch (error) {
    // It has gone: who listens to it sees that too.
    if (!(error instanceof WebSocketClosedError)) throw error;
  }
}

function send(socket: WebSocketConnection, message: ToGuest): Promise<void> {
  return socket.send(JSON.stringify(message));
}

/** What `act` gives; or why it cannot be done, for the guest. */
async function refusalOf<T>(act: () => T): Promise<T | string> {
  try {
    return act();
  } catch (error) {
    if (error instanceof MessageError) return error.message;
    throw error;
  }
}
