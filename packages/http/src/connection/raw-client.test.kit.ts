/** A client for tests of the very bytes, and what such tests have in common. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenResourceError, EndOfStream, run, type TaskGroup } from "arborio";
import { simulator } from "arborio/sim";
import type { ByteStream } from "arborio/streams";
import { ResponseParser } from "../protocol/response-parser.ts";
import type { ResponseHead } from "../protocol/message.ts";

const SEEDS: readonly number[] = [1, 2, 3];

/** A test in virtual time, in several orders of events. */
export function simTest(
  title: string,
  body: (group: TaskGroup) => unknown,
  seeds: readonly number[] = SEEDS,
): void {
  for (const seed of seeds) {
    void test(`${title} [simulator, seed ${seed}]`, async () => {
      await run(body, { signals: [], backend: simulator({ seed }) });
    });
  }
}

/** How a connection ended. */
export type End = "end" | "reset";

/** One whole response. */
export interface RawResponse {
  readonly head: ResponseHead;
  readonly body: string;
  readonly trailers: readonly string[];
}

export class RawClient {
  readonly stream: ByteStream;
  readonly #parser: ResponseParser = new ResponseParser();
  #end: End | null = null;

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Sends text, each character as a byte. */
  async send(text: string): Promise<void> {
    await this.stream.send(bytesOf(text));
  }

  /** The next head, interim ones too. */
  async head(method: string = "GET"): Promise<ResponseHead> {
    this.#parser.expect(method);
    for (;;) {
      const head = this.#parser.readHead();
      if (head !== null) return head;
      if (!(await this.#more())) assert.fail(`there was no response, but the ${this.#end}`);
    }
  }

  /** The next piece of the body; `null`: it has ended. */
  async piece(): Promise<string | null> {
    for (;;) {
      const piece = this.#parser.readBody(65_536);
      if (piece !== null) return textOf(piece);
      if (this.#parser.bodyDone) return null;
      await this.#more();
    }
  }

  /** The next response with its body. */
  async response(method: string = "GET"): Promise<RawResponse> {
    const head = await this.head(method);
    let body = "";
    for (let piece = await this.piece(); piece !== null; piece = await this.piece()) body += piece;
    return { head, body, trailers: this.#parser.trailers };
  }

  /** Waits for the end of the connection, and nothing else. */
  async end(): Promise<End> {
    while (await this.#more());
    assert.equal(this.#parser.bufferedBytes, 0, "something came before the end");
    return this.#end as End;
  }

  /** All that still comes, as text, and how it ends. */
  async rest(): Promise<readonly [string, End]> {
    let text = "";
    for (;;) {
      try {
        text += textOf(await this.stream.receive());
      } catch (error) {
        return [text, endOf(error)];
      }
    }
  }

  async #more(): Promise<boolean> {
    try {
      this.#parser.push(await this.stream.receive());
      return true;
    } catch (error) {
      this.#end = endOf(error);
      this.#parser.end();
      return false;
    }
  }
}

function endOf(error: unknown): End {
  if (error instanceof EndOfStream) return "end";
  if (error instanceof BrokenResourceError) return "reset";
  throw error;
}

/** Text of one line after the other, as the protocol has it. */
export function lines(...texts: readonly string[]): string {
  return `${texts.join("\r\n")}\r\n`;
}

/** A request without a body. */
export function get(path: string = "/", ...fields: readonly string[]): string {
  return lines(`GET ${path} HTTP/1.1`, "host: a", ...fields, "");
}

/** A request with a body of known length. */
export function post(body: string, ...fields: readonly string[]): string {
  return `${lines("POST / HTTP/1.1", "host: a", `content-length: ${body.length}`, ...fields, "")}${body}`;
}

/** The values of a field of a head. */
export function fieldsOf(head: ResponseHead, name: string): readonly string[] {
  return head.fields.filter(
    (_, index) => index % 2 === 1 && (head.fields[index - 1] as string).toLowerCase() === name,
  );
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
