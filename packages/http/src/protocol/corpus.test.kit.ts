/**
 * Messages with what a parser must make of them, and how it is asked: the corpus that all tests of the parsers share.
 */
import { ACCEPTED_REQUESTS } from "./corpus-accepted-requests.test.kit.ts";
import { REFUSED_BODIES } from "./corpus-refused-bodies.test.kit.ts";
import { REFUSED_HEADS } from "./corpus-refused-heads.test.kit.ts";
import { RESPONSES } from "./corpus-responses.test.kit.ts";
import type { ProtocolLimits } from "./limits.ts";
import type { FieldList, RequestHead, ResponseHead } from "./message.ts";
import { ProtocolError } from "./protocol-error.ts";
import { RequestParser } from "./request-parser.ts";
import { ResponseParser } from "./response-parser.ts";

/** Input, and what comes of it. */
export interface CorpusCase {
  /** A test's title: what happens. */
  readonly title: string;
  /** Each character is a byte. The connection ends after it. */
  readonly input: string;
  /** See `eventsOf`. */
  readonly expected: readonly string[];
  readonly limits?: Partial<ProtocolLimits>;
  /** For responses: what was asked. */
  readonly answers?: string;
}

/** What a parser made of input. */
export interface Events {
  /**
   * In order: a line for each head (`GET / 1.1 @host body=0`, `200 OK 1.1 body=close`), `body "…"`, `trailers a=b`, `rest "…"` after a
   * switch of protocols, and at last `end` or `refused rule status`.
   */
  readonly lines: readonly string[];
  readonly fields: readonly FieldList[];
}

export const REQUEST_CASES: readonly CorpusCase[] = [
  ...ACCEPTED_REQUESTS,
  ...REFUSED_HEADS,
  ...REFUSED_BODIES,
];
export const RESPONSE_CASES: readonly CorpusCase[] = RESPONSES;

/** Bytes of a text of ISO 8859-1. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The text of bytes, one character each. */
export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** What a request parser makes of pieces of input, followed by the end. */
export function requestEvents(
  pieces: Iterable<Uint8Array>,
  { limits, pieceBytesMax }: { limits?: Partial<ProtocolLimits>; pieceBytesMax?: number } = {},
): Events {
  return new Reader(new RequestParser(limits), requestLine, pieceBytesMax).read(pieces);
}

/** What a response parser makes of pieces of input, followed by the end. */
export function responseEvents(
  pieces: Iterable<Uint8Array>,
  { limits, answers = "GET" }: { limits?: Partial<ProtocolLimits>; answers?: string } = {},
): Events {
  const parser = new ResponseParser(limits);
  parser.expect(answers);
  return new Reader(parser, (head) => responseLine(head, answers)).read(pieces);
}

interface Line {
  readonly text: string;
  /** Whether another protocol is spoken after this head. */
  readonly switches: boolean;
}

function requestLine(head: RequestHead): Line {
  const { method, target, version, authority, framing, upgrade } = head;
  const flags = `${head.keepAlive ? "" : " close"}${head.expectsContinue ? " continue" : ""}`;
  const text = `${method} ${target} ${version} @${authority} body=${framing}${flags}`;
  const switches = upgrade !== "" || method === "CONNECT";
  return { text: upgrade === "" ? text : `${text} upgrade=${upgrade}`, switches };
}

function responseLine(head: ResponseHead, answers: string): Line {
  const { status, reason, version, framing, keepAlive } = head;
  const text = `${status} ${reason} ${version} body=${framing}${keepAlive ? "" : " close"}`;
  const tunnels = answers === "CONNECT" && status >= 200 && status < 300;
  return { text, switches: status === 101 || tunnels };
}

/** Bytes of the pieces of bodies that are asked for: small, so that pieces are cut too. */
const PIECE_BYTES_MAX = 7;

type Parser<Head> = Pick<RequestParser, "push" | "end" | "readBody" | "bodyDone" | "trailers"> & {
  readHead(): Head | null;
  takeRest(): Uint8Array;
};

class Reader<Head extends { readonly fields: FieldList; readonly framing: unknown }> {
  readonly #parser: Parser<Head>;
  readonly #lineOf: (head: Head) => Line;
  readonly #pieceBytesMax: number;
  readonly #lines: string[] = [];
  readonly #fields: FieldList[] = [];
  #body: string | undefined;
  #rest: string | undefined;

  constructor(
    parser: Parser<Head>,
    lineOf: (head: Head) => Line,
    pieceBytesMax: number = PIECE_BYTES_MAX,
  ) {
    this.#parser = parser;
    this.#lineOf = lineOf;
    this.#pieceBytesMax = pieceBytesMax;
  }

  read(pieces: Iterable<Uint8Array>): Events {
    try {
      for (const piece of pieces) {
        if (this.#rest === undefined) {
          this.#parser.push(piece);
          this.#drain();
        } else this.#rest += textOf(piece);
      }
      if (this.#rest === undefined) {
        this.#parser.end();
        this.#drain();
      }
      this.#flush();
      this.#lines.push("end");
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#flush();
      this.#lines.push(`refused ${error.rule} ${error.status}`);
    }
    return { lines: this.#lines, fields: this.#fields };
  }

  #drain(): void {
    const parser = this.#parser;
    for (;;) {
      while (!parser.bodyDone) {
        const piece = parser.readBody(this.#pieceBytesMax);
        if (piece !== null) this.#body = (this.#body ?? "") + textOf(piece);
        else if (!parser.bodyDone) return;
      }
      this.#flush();
      const head = parser.readHead();
      if (head === null) return;
      const { text, switches } = this.#lineOf(head);
      this.#lines.push(text);
      this.#fields.push(head.fields);
      if (head.framing !== 0) this.#body = "";
      if (switches && parser.bodyDone) {
        this.#rest = textOf(parser.takeRest());
        return;
      }
    }
  }

  #flush(): void {
    if (this.#body !== undefined) this.#lines.push(`body ${JSON.stringify(this.#body)}`);
    if (this.#body !== undefined && this.#parser.trailers.length > 0 && this.#parser.bodyDone) {
      this.#lines.push(`trailers ${this.#parser.trailers.join("|")}`);
    }
    this.#body = undefined;
    if (this.#rest !== undefined) this.#lines.push(`rest ${JSON.stringify(this.#rest)}`);
    this.#rest = undefined;
  }
}
