/**
 * permessage-deflate (RFC 7692 §7.1): what is offered, accepted and checked. Whatever is not exactly as the RFC has it is declined by a server,
 * and an error for a client.
 */
import { type Extension, parseExtensions } from "./extension-list.ts";

const NAME = "permessage-deflate";
const WINDOW_BITS_MAX = 15;
/** zlib cannot make raw streams with a window of 8 bits: it makes such that need 9 (its manual, `deflateInit2`). */
const OWN_WINDOW_BITS_MIN = 9;
/** 8 to 15, without leading zeros (RFC 7692 §7.1.2.1). */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

const FLAGS: ReadonlySet<string> = new Set([
  "server_no_context_takeover",
  "client_no_context_takeover",
]);

/** What both sides agreed upon. */
export interface DeflateParameters {
  /** Whether the server compresses each message by itself. */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client does. */
  readonly clientNoContextTakeover: boolean;
  /** Base-two logarithm of the server's window: 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** Base-two logarithm of the client's window: 8 to 15. */
  readonly clientMaxWindowBits: number;
}

/** What one side wants of it. */
export type DeflateWishes = Partial<DeflateParameters>;

interface ReadParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number | undefined;
  /** `null`: present, without a value. */
  readonly clientMaxWindowBits: number | null | undefined;
}

/** What a server answers to an offer: the parameters, and the value of its `Sec-WebSocket-Extensions`. */
export interface DeflateAnswer {
  /** What is agreed upon. */
  readonly parameters: DeflateParameters;
  /** What the field says. */
  readonly value: string;
}

/**
 * A server's choice: the first offer that it can take. Offers with parameters that are unknown, doubled or malformed are declined, and so
 * is one that wants the server's window to be of 8 bits.
 *
 * @param value of the client's `Sec-WebSocket-Extensions`; `null` if there is none.
 * @returns `null` if there is no such offer: then nothing is compressed.
 */
export function acceptDeflate(
  value: string | null,
  wishes: DeflateWishes = {},
): DeflateAnswer | null {
  for (const extension of parseExtensions(value ?? "") ?? []) {
    if (extension.name !== NAME) continue;
    const offer = readParameters(extension);
    if (offer === null || (offer.serverMaxWindowBits ?? WINDOW_BITS_MAX) < OWN_WINDOW_BITS_MIN)
      continue;
    return answer(offer, wishes);
  }
  return null;
}

function answer(offer: ReadParameters, wishes: DeflateWishes): DeflateAnswer {
  const { serverMaxWindowBits, clientMaxWindowBits } = offer;
  const serverNoContextTakeover =
    offer.serverNoContextTakeover || wishes.serverNoContextTakeover === true;
  const clientNoContextTakeover =
    offer.clientNoContextTakeover || wishes.clientNoContextTakeover === true;
  const serverBits = Math.min(
    serverMaxWindowBits ?? WINDOW_BITS_MAX,
    wishes.serverMaxWindowBits ?? WINDOW_BITS_MAX,
  );
  // Only a client that says so takes a limit (RFC 7692 §7.1.2.2).
  const clientBits =
    clientMaxWindowBits === undefined
      ? WINDOW_BITS_MAX
      : Math.min(
          clientMaxWindowBits ?? WINDOW_BITS_MAX,
          wishes.clientMaxWindowBits ?? WINDOW_BITS_MAX,
        );
  const parameters: DeflateParameters = {
    serverNoContextTakeover,
    clientNoContextTakeover,
    serverMaxWindowBits: serverBits,
    clientMaxWindowBits: clientBits,
  };
  const saysServerBits = serverMaxWindowBits !== undefined || serverBits < WINDOW_BITS_MAX;
  const value = write(
    parameters,
    saysServerBits ? serverBits : undefined,
    clientBits < WINDOW_BITS_MAX ? clientBits : undefined,
  );
  return { parameters, value };
}

/** The value of a client's `Sec-WebSocket-Extensions`. It takes any limit of its own window. */
export function offerDeflate(wishes: DeflateWishes = {}): string {
  const { serverMaxWindowBits, clientMaxWindowBits } = wishes;
  return write(
    {
      serverNoContextTakeover: wishes.serverNoContextTakeover ?? false,
      clientNoContextTakeover: wishes.clientNoContextTakeover ?? false,
    },
    serverMaxWindowBits,
    clientMaxWindowBits ?? null,
  );
}

/**
 * What a server has accepted of `offerDeflate(wishes)`.
 *
 * @param value of the server's `Sec-WebSocket-Extensions`; `null` if there is none.
 * @param wishes as they were offered; `null` if nothing was.
 * @returns `null` if nothing is compressed.
 * @throws Error that says what is wrong: the connection cannot be used (RFC 6455 §4.1, RFC 7692 §7.1).
 */
export function acceptedDeflate(
  value: string | null,
  wishes: DeflateWishes | null,
): DeflateParameters | null {
  if (value === null) return null;
  const extensions = parseExtensions(value);
  const [extension] = extensions ?? [];
  if (extensions?.length === 0) return null;
  if (extension === undefined || extensions?.length !== 1 || extension.name !== NAME || !wishes)
    throw wrong(value, wishes ? NAME : "none: none was offered");
  const read = readParameters(extension);
  const serverBits = read?.serverMaxWindowBits ?? WINDOW_BITS_MAX;
  if (
    read === null ||
    read.clientMaxWindowBits === null ||
    serverBits > (wishes.serverMaxWindowBits ?? WINDOW_BITS_MAX) ||
    (wishes.serverNoContextTakeover === true && !read.serverNoContextTakeover)
  ) {
    throw wrong(value, `what was offered: ${offerDeflate(wishes)}`);
  }
  return {
    serverNoContextTakeover: read.serverNoContextTakeover,
    clientNoContextTakeover:
      read.clientNoContextTakeover || wishes.clientNoContextTakeover === true,
    serverMaxWindowBits: serverBits,
    clientMaxWindowBits: Math.min(
      read.clientMaxWindowBits ?? WINDOW_BITS_MAX,
      wishes.clientMaxWindowBits ?? WINDOW_BITS_MAX,
    ),
  };
}

/** Whether a side can compress with this window: if not, it sends its messages as they are, which is allowed always. */
export function canCompress(windowBits: number): boolean {
  return windowBits >= OWN_WINDOW_BITS_MIN;
}

function wrong(value: string, needed: string): Error {
  return new Error(
    `Sec-WebSocket-Extensions is ${JSON.stringify(value.slice(0, 200))}, needs ${needed}`,
  );
}

/** `null` if a parameter is unknown, doubled, or has a value that it cannot have. */
function readParameters({ parameters }: Extension): ReadParameters | null {
  const values = new Map(parameters);
  if (values.size !== parameters.length) return null;
  for (const [name, value] of values) {
    if (FLAGS.has(name)) {
      if (value !== null) return null;
    } else if (name === "client_max_window_bits") {
      if (value !== null && !WINDOW_BITS.test(value)) return null;
    } else if (name !== "server_max_window_bits" || !WINDOW_BITS.test(value ?? "")) {
      return null;
    }
  }
  const serverBits = values.get("server_max_window_bits");
  const clientBits = values.get("client_max_window_bits");
  return {
    serverNoContextTakeover: values.has("server_no_context_takeover"),
    clientNoContextTakeover: values.has("client_no_context_takeover"),
    serverMaxWindowBits: serverBits === undefined ? undefined : Number(serverBits),
    clientMaxWindowBits: typeof clientBits === "string" ? Number(clientBits) : clientBits,
  };
}

function write(
  flags: Pick<DeflateParameters, "serverNoContextTakeover" | "clientNoContextTakeover">,
  serverBits: number | undefined,
  clientBits: number | null | undefined,
): string {
  let value = NAME;
  if (flags.serverNoContextTakeover) value += "; server_no_context_takeover";
  if (flags.clientNoContextTakeover) value += "; client_no_context_takeover";
  if (serverBits !== undefined) value += `; server_max_window_bits=${serverBits}`;
  if (clientBits === null) value += "; client_max_window_bits";
  else if (clientBits !== undefined) value += `; client_max_window_bits=${clientBits}`;
  return value;
}
