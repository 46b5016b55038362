/**
 * Reads the name that a client asks for (SNI) out of the first bytes that it sends, before any engine sees them: so the identity is
 * chosen in the same way on every runtime, one that has none can be refused, and what is no TLS at all is told apart.
 * Source: RFC 8446, sections 4.1.2 and 5.1; RFC 6066, section 3.
 */

/** What the first bytes of a client are. */
export type ClientHello =
  | { readonly kind: "incomplete" }
  | { readonly kind: "not-tls" }
  /** `serverName` is `undefined` if the client names none, and if its hello is malformed, which the engine will tell. */
  | { readonly kind: "hello"; readonly serverName: string | undefined };

/** First byte of a record with a part of a handshake, and of one with an alert. */
export const HANDSHAKE_RECORD = 22;
export const ALERT_RECORD = 21;

const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

/**
 * Largest hello that is looked into, in bytes; those of browsers have 2,000. It is looked at again whenever some of it comes, so what
 * a client that sends it byte by byte can cost grows with the square. Beyond it, the engine decides.
 */
const HELLO_BYTES_MAX = 16_384;

const INCOMPLETE: ClientHello = { kind: "incomplete" };
const NAMELESS: ClientHello = { kind: "hello", serverName: undefined };

/** Collects the first bytes of a client until its hello is complete. */
export class HelloCollector {
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** What it is, with what has come until now. */
  add(chunk: Uint8Array): ClientHello {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(this.#length === 0 ? length : 2 * length);
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
    return readClientHello(this.bytes);
  }

  /** Everything that has come. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

/** Looks at everything that a client has sent so far. */
export function readClientHello(bytes: Uint8Array): ClientHello {
  if (bytes.length === 0) return INCOMPLETE;
  if (bytes[0] !== HANDSHAKE_RECORD || (bytes.length > 1 && bytes[1] !== 3))
    return { kind: "not-tls" };
  if (bytes.length > 2 * HELLO_BYTES_MAX) return NAMELESS;
  const message = joinRecords(bytes);
  if (message === null) return NAMELESS;
  if (message.length < MESSAGE_HEADER_BYTES) return INCOMPLETE;
  const reader = new Reader(message);
  const type = reader.number(1);
  const length = reader.number(3);
  if (type !== CLIENT_HELLO || length > HELLO_BYTES_MAX) return NAMELESS;
  if (message.length < MESSAGE_HEADER_BYTES + length) return INCOMPLETE;
  return { kind: "hello", serverName: serverNameIn(reader) };
}

/** The contents of the handshake records at the start of `bytes`, one after the other; `null` if another kind comes between. */
function joinRecords(bytes: Uint8Array): Uint8Array | null {
  const joined = new Uint8Array(bytes.length);
  let count = 0;
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= bytes.length) {
    if (bytes[at] !== HANDSHAKE_RECORD) return null;
    const length = (bytes[at + 3] as number) * 256 + (bytes[at + 4] as number);
    const content = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    joined.set(content, count);
    count += content.length;
    at += RECORD_HEADER_BYTES + length;
  }
  return joined.subarray(0, count);
}

function serverNameIn(reader: Reader): string | undefined {
  reader.skip(2 + 32); // version, random
  reader.skip(reader.number(1)); // session
  reader.skip(reader.number(2)); // cipher suites
  reader.skip(reader.number(1)); // compression
  reader.skip(2); // length of all extensions
  while (reader.left >= 4) {
    const type = reader.number(2);
    const length = reader.number(2);
    if (type === SERVER_NAME_EXTENSION) return firstHostName(reader);
    reader.skip(length);
  }
  return undefined;
}

function firstHostName(reader: Reader): string | undefined {
  reader.skip(2); // length of the list
  if (reader.number(1) !== HOST_NAME) return undefined;
  const name = reader.bytes(reader.number(2));
  return name.length === 0 ? undefined : new TextDecoder("latin1").decode(name);
}

/** Reads numbers of the network's byte order; beyond the end there are zeros. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: number): number {
    let number = 0;
    for (let index = 0; index < size; index++)
      number = number * 256 + (this.#bytes[this.#at++] ?? 0);
    return number;
  }

  skip(size: number): void {
    this.#at += size;
  }

  bytes(size: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#at + size);
    this.#at += size;
    return bytes;
  }
}
