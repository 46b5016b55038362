import { EndOfStream, moveOnAfter, sleepForever, soft, taskGroup } from "arborio";
import type { Listener, SocketStream } from "arborio/net";
import { DelimiterNotFoundError, LineStream } from "arborio/streams";
import { type Guest, Room } from "./room.ts";

export interface ChatLimits {
  /** Connections at once; further ones wait. */
  readonly guestsMax: number;
  /** Bytes of a line. */
  readonly lineBytesMax: number;
  /** Milliseconds to say a name. */
  readonly nameMs: number;
}

export const LIMITS: ChatLimits = { guestsMax: 100, lineBytesMax: 1000, nameMs: 30_000 };

/**
 * Serves the chat until the listener is closed, or a shutdown asks: then nobody is let in any more, the guests are told, and have
 * the grace to read it.
 */
export async function serveChat(listener: Listener, limits: ChatLimits = LIMITS): Promise<void> {
  const room = new Room();
  await taskGroup(async (group) => {
    group.startSoon(
      async () => {
        await soft(() => sleepForever());
        room.close("* the server is closing");
      },
      { daemon: true },
    );
    await listener.serve((stream) => receiveGuest(stream, room, limits), {
      maxConnections: limits.guestsMax,
    });
  });
}

/** One connection, from the greeting to the end. */
async function receiveGuest(stream: SocketStream, room: Room, limits: ChatLimits): Promise<void> {
  const lines = new LineStream(stream, { maxBytes: limits.lineBytesMax, endRequired: false });
  try {
    const guest = await moveOnAfter(limits.nameMs, () => soft(() => askName(lines, room)));
    if (guest === undefined) {
      await lines.send("* good bye");
      return;
    }
    try {
      await converse(lines, guest, room);
    } finally {
      room.leave(guest.name);
    }
  } catch (error) {
    if (error instanceof DelimiterNotFoundError) await lines.send("* that line is too long");
    else if (!(error instanceof EndOfStream)) throw error;
  }
}

async function askName(lines: LineStream, room: Room): Promise<Guest> {
  await lines.send("* what is your name?");
  for (;;) {
    const name = (await lines.receive()).trim();
    const guest = /^\w{1,20}$/.test(name) ? room.enter(name) : undefined;
    if (guest !== undefined) {
      const others = room.names.filter((other) => other !== name);
      await lines.send(`* welcome, ${name}; here: ${others.join(", ") || "nobody else"}`);
      return guest;
    }
    await lines.send("* a name of 1 to 20 letters and digits that nobody has, please");
  }
}

/** Both directions at once; either end ends both. */
async function converse(lines: LineStream, guest: Guest, room: Room): Promise<void> {
  await taskGroup(async (group) => {
    // What a guest says is heard until the room lets go of the guest; what the guest is told goes out until then.
    group.startSoon(
      async () => {
        for await (const line of lines) room.say(`${guest.name}: ${line}`, guest.name);
        room.leave(guest.name);
      },
      { daemon: true, name: "listen" },
    );
    for await (const line of guest.lines) await lines.send(line);
  });
}
