/** What the page and the server tell each other, as JSON, one object a message. */

/** What a guest says. */
export type FromGuest =
  /** First: who it is, and which room it enters. */
  | { readonly type: "enter"; readonly name: string; readonly room: string }
  | { readonly type: "say"; readonly text: string }
  | { readonly type: "move"; readonly room: string };

/** What a guest is told. */
export type ToGuest =
  /** It is in a room now, with these. */
  | { readonly type: "entered"; readonly room: string; readonly names: readonly string[] }
  | { readonly type: "came"; readonly name: string }
  | { readonly type: "left"; readonly name: string }
  | { readonly type: "said"; readonly name: string; readonly text: string }
  /** It did something that cannot be done. */
  | { readonly type: "refused"; readonly why: string };

const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N} _.-]{0,30}[\p{L}\p{N}])?$/u;
const TEXT_LENGTH_MAX = 2000;

/** What cannot be understood, and why: for who sent it. */
export class MessageError extends Error {
  override readonly name: string = "MessageError";
}

/** A message of a guest. @throws MessageError if it is none. */
export function parseMessage(message: string | Uint8Array): FromGuest {
  const { type, name, room, text } = fieldsOf(message);
  switch (type) {
    case "enter":
      return { type, name: requireName("name", name), room: requireName("room", room) };
    case "move":
      return { type, room: requireName("room", room) };
    case "say":
      return { type, text: requireText(text) };
    default:
      throw new MessageError("a message is one of enter, say and move");
  }
}

function fieldsOf(message: string | Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = typeof message === "string" ? JSON.parse(message) : null;
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new MessageError("a message is a JSON object, as text");
}

function requireName(what: string, value: unknown): string {
  if (typeof value === "string" && NAME.test(value)) return value;
  throw new MessageError(`a ${what} has 1 to 32 letters and digits`);
}

function requireText(value: unknown): string {
  if (typeof value === "string" && value.trim() !== "" && value.length <= TEXT_LENGTH_MAX)
    return value;
  throw new MessageError(`what is said has 1 to ${TEXT_LENGTH_MAX} characters`);
}
