import { formatAddressBytes } from "../ip-address.ts";
import { quote } from "../rules.ts";
import { refusedBySocks, SocksError } from "./socks-error.ts";
import { type SocksOptions, type SocksTarget, socksTarget } from "./socks-target.ts";

/** What the proxy says when the connection is there. */
export interface SocksConnection {
  /** From which address the proxy has connected, as it says; often `"0.0.0.0"`. A name is possible. Never to be relied upon. */
  readonly boundHost: string;
  /** From which port, as it says. */
  readonly boundPort: number;
  /** What came behind its answer: the first bytes from the target itself. */
  readonly rest: Uint8Array;
}

/** What is awaited of the proxy. */
type Phase = "method" | "login" | "reply" | "done";

const COMMAND_CONNECT = 1;
const METHOD_NONE = 0;
const METHOD_PASSWORD = 2;
/** RFC 1928 §3. */
const METHOD_NO_ACCEPTABLE = 255;
/** RFC 1929 §2. */
const LOGIN_VERSION = 1;
const TYPE_IPV4 = 1;
const TYPE_NAME = 3;
const TYPE_IPV6 = 4;
const SOCKS4_GRANTED = 90;
const SOCKS4_REPLY_BYTES = 8;
/** What SOCKS4a has in place of the address of a name. */
const SOCKS4_NAME_FOLLOWS: readonly number[] = [0, 0, 0, 1];

const NOTHING = new Uint8Array(0);

/**
 * The beginning of a connection through a SOCKS proxy, for the client: what is to be sent, and what the answers mean. It knows of no
 * sockets; never holds more than the longest answer (262 bytes); and takes nothing that the protocol does not have at that point.
 *
 * Send `takeOutgoing()`, give what comes to `push`, and so on until `push` gives the connection. From then on the bytes are the
 * target's, first of all `rest`.
 *
 * Source: RFC 1928, RFC 1929; "SOCKS: A protocol for TCP proxy across firewalls" and "SOCKS 4A" by Ying-Da Lee. Counterpart:
 * `python-socks`.
 *
 * @example With a proxy that asks for nothing
 * ```ts
 * import { SocksHandshake } from "@arborio/http/protocol";
 *
 * const handshake = new SocksHandshake({ host: "example.org", port: 80 });
 * console.assert(handshake.takeOutgoing().join() === "5,1,0");
 * console.assert(handshake.push(Uint8Array.of(5, 0)) === null);
 * console.assert(handshake.takeOutgoing().length === 4 + 1 + "example.org".length + 2);
 * const connection = handshake.push(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 4, 210));
 * console.assert(connection?.boundHost === "127.0.0.1" && connection.boundPort === 1234);
 * ```
 */
export class SocksHandshake {
  readonly #target: SocksTarget;
  #phase: Phase;
  /** What came of an answer that is not whole: less than the longest. */
  #input: Uint8Array = NOTHING;
  #outgoing: Uint8Array;
  #failure: SocksError | null = null;
  #connection: SocksConnection | null = null;

  /**
   * Makes one for one connection.
   *
   * @throws TypeError if the version cannot take such a host, user or password. Neither is shown.
   * @throws RangeError if version or port, or the length of user or password, is out of range.
   */
  constructor(options: SocksOptions) {
    this.#target = socksTarget(options);
    const isSocks5 = this.#target.version === 5;
    this.#phase = isSocks5 ? "method" : "reply";
    this.#outgoing = isSocks5 ? greeting(this.#target) : socks4Request(this.#target);
  }

  /** The connection, when the proxy has made it. */
  get connection(): SocksConnection | null {
    return this.#connection;
  }

  /** What is to be sent now; each byte is given once. Empty: it is the proxy's turn. */
  takeOutgoing(): Uint8Array {
    const bytes = this.#outgoing;
    this.#outgoing = NOTHING;
    return bytes;
  }

  /**
   * Takes what came from the proxy, in pieces of any length.
   *
   * @returns the connection as soon as there is one; `null`: more is needed, after what is to be sent was sent.
   * @throws SocksError if the proxy refuses, or sends what is not SOCKS, or before it was its turn. From then on every call throws it.
   * @throws TypeError once the connection was given: bytes are the target's then.
   */
  push(bytes: Uint8Array): SocksConnection | null {
    if (this.#failure !== null) throw this.#failure;
    if (this.#phase === "done") {
      throw new TypeError("SocksHandshake.push: the connection is there, no more bytes are needed");
    }
    try {
      if (this.#outgoing.length > 0 && bytes.length > 0) throw this.#tooMuch();
      this.#input = this.#input.length === 0 ? bytes : joined(this.#input, bytes);
      this.#read();
    } catch (error) {
      this.#input = NOTHING;
      if (error instanceof SocksError) this.#failure = error;
      throw error;
    }
    // Not the caller's memory.
    if (this.#connection === null) this.#input = this.#input.slice();
    return this.#connection;
  }

  /**
   * The proxy has ended the connection.
   *
   * @throws SocksError unless the connection was made before.
   */
  end(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#phase === "done") return;
    this.#failure = this.#error("closed", "it has closed the connection in place of an answer");
    throw this.#failure;
  }

  #read(): void {
    if (this.#target.version === 4) this.#readSocks4Reply();
    else if (this.#phase === "method") this.#readMethod();
    else if (this.#phase === "login") this.#readLogin();
    else this.#readReply();
  }

  #readMethod(): void {
    const [version, method] = this.#input;
    this.#requireVersion(version, [5]);
    if (method === undefined) return;
    if (method === METHOD_NO_ACCEPTABLE) {
      const wish =
        this.#target.credentials === null
          ? "a user and a password, or something else"
          : "something else than a password";
      throw this.#error("no-acceptable-method", `it wants ${wish}`);
    }
    if (method === METHOD_PASSWORD && this.#target.credentials !== null) {
      this.#answer("login", login(this.#target.credentials));
    } else if (method === METHOD_NONE) {
      this.#answer("reply", socks5Request(this.#target));
    } else {
      throw this.#error("malformed", `it chose method ${method}, which was not offered`);
    }
  }

  #readLogin(): void {
    const [version, status] = this.#input;
    // Some have the version of SOCKS there.
    this.#requireVersion(version, [LOGIN_VERSION, 5]);
    if (status === undefined) return;
    if (status !== 0) {
      throw this.#error("authentication-failed", `it refuses user or password`, status);
    }
    this.#answer("reply", socks5Request(this.#target));
  }

  #readReply(): void {
    const [version, reply, reserved, type, first] = this.#input;
    this.#requireVersion(version, [5]);
    if (reply !== undefined && reply !== 0) throw refusedBySocks(5, reply, this.#target.shown);
    if (reserved !== undefined && reserved !== 0) {
      throw this.#error("malformed", `its answer has ${reserved} where 0 was expected`);
    }
    if (type === undefined) return;
    if (type === TYPE_NAME) {
      if (first !== undefined) this.#connect(5, first, this.#nameOf);
    } else if (type === TYPE_IPV4) this.#connect(4, 4, formatAddressBytes);
    else if (type === TYPE_IPV6) this.#connect(4, 16, formatAddressBytes);
    else throw this.#error("malformed", `its answer has an address of the unknown type ${type}`);
  }

  #readSocks4Reply(): void {
    const [version, reply] = this.#input;
    this.#requireVersion(version, [0]);
    if (reply !== undefined && reply !== SOCKS4_GRANTED) {
      throw refusedBySocks(4, reply, this.#target.shown);
    }
    const input = this.#input;
    if (input.length < SOCKS4_REPLY_BYTES) return;
    this.#finish(formatAddressBytes(input.subarray(4, 8)), portAt(input, 2), SOCKS4_REPLY_BYTES);
  }

  /** Reads the address and the port of an answer, if they are there. */
  #connect(at: number, length: number, format: (bytes: Uint8Array) => string): void {
    const end = at + length;
    if (this.#input.length < end + 2) return;
    this.#finish(format(this.#input.subarray(at, end)), portAt(this.#input, end), end + 2);
  }

  readonly #nameOf = (bytes: Uint8Array): string => {
    const name = String.fromCharCode(...bytes);
    if (/^[!-~]*$/.test(name)) return name;
    throw this.#error("malformed", `its answer has the name ${quote(name)}`);
  };

  #finish(boundHost: string, boundPort: number, end: number): void {
    this.#phase = "done";
    this.#connection = { boundHost, boundPort, rest: this.#input.slice(end) };
    this.#input = NOTHING;
  }

  /** What was awaited has come, and nothing else. */
  #answer(phase: Phase, bytes: Uint8Array): void {
    if (this.#input.length > 2) throw this.#tooMuch();
    this.#phase = phase;
    this.#input = NOTHING;
    this.#outgoing = bytes;
  }

  #requireVersion(version: number | undefined, expected: readonly number[]): void {
    if (version === undefined || expected.includes(version)) return;
    const start = quote(String.fromCharCode(...this.#input.subarray(0, SHOWN_BYTES)));
    throw this.#error("malformed", `its answer begins with ${start}, which is not SOCKS`);
  }

  #tooMuch(): SocksError {
    return this.#error("malformed", "it has sent more than it was asked for");
  }

  #error(failure: SocksError["failure"], what: string, reply: number | null = null): SocksError {
    const { version, shown } = this.#target;
    return new SocksError(failure, `SOCKS${version} proxy, connection to ${shown}: ${what}`, reply);
  }
}

/** As much of a wrong answer as shows what it is, `"HTTP/1.1"` above all. */
const SHOWN_BYTES = 8;

/** RFC 1928 §3. A proxy that wants no password is not made to take one. */
function greeting({ credentials }: SocksTarget): Uint8Array {
  const methods = credentials === null ? [METHOD_NONE] : [METHOD_NONE, METHOD_PASSWORD];
  return Uint8Array.of(5, methods.length, ...methods);
}

/** RFC 1929 §2. */
function login({ user, password }: NonNullable<SocksTarget["credentials"]>): Uint8Array {
  return Uint8Array.of(LOGIN_VERSION, user.length, ...user, password.length, ...password);
}

/** RFC 1928 §4. */
function socks5Request({ address, isName, port }: SocksTarget): Uint8Array {
  const type = isName ? TYPE_NAME : address.length === 4 ? TYPE_IPV4 : TYPE_IPV6;
  const length = isName ? [address.length] : [];
  return Uint8Array.of(5, COMMAND_CONNECT, 0, type, ...length, ...address, ...portBytes(port));
}

function socks4Request({ address, isName, port, credentials }: SocksTarget): Uint8Array {
  const user = credentials?.user ?? NOTHING;
  const head = [4, COMMAND_CONNECT, ...portBytes(port)];
  if (!isName) return Uint8Array.of(...head, ...address, ...user, 0);
  return Uint8Array.of(...head, ...SOCKS4_NAME_FOLLOWS, ...user, 0, ...address, 0);
}

function portBytes(port: number): readonly [number, number] {
  return [port >> 8, port & 0xff];
}

function portAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
