/**
 * What each client of the suite does beside its work, in Python too: it prints one line of JSON with its process id, and obeys lines on
 * its standard input, each answered by `{"operations":N,"seconds":S}`; the end of input ends it:
 *
 *     get N     N requests of GET /, 64 in flight, the body of each read whole
 *     down N    one GET /body, read piece by piece; it has to have N bytes
 *     up N      one POST of a body of N bytes, made piece by piece; the answer has to be that number
 */
import process from "node:process";
import { createInterface } from "node:readline";

/** What is in flight at a time. */
export const IN_FLIGHT = 64;

/** The body that a GET gets. */
export const GREETING = "Hello, world!";

/** A piece of a body that is sent, in bytes. */
const PIECE_BYTES = 64 * 1024;

/** What bodies that are sent are made of. */
export const piece: Uint8Array<ArrayBuffer> = new Uint8Array(PIECE_BYTES).fill(0x61);

/** The works of a client, and how many bytes or requests each is asked for. */
export interface Works {
  /** One request; gives the body as text. */
  readonly get: () => Promise<string>;
  /** Gives how many bytes came. */
  readonly down?: () => Promise<number>;
  /** Sends `pieces()`; gives the answer. */
  readonly up?: (bytes: number) => Promise<string>;
}

/** The pieces of a body of so many bytes. */
export function* piecesOf(bytes: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}

/** Obeys until the input ends. `all` does a number of works at the same time, and waits for them. */
export async function obey(
  works: Works,
  all: (flows: readonly (() => Promise<void>)[]) => Promise<unknown> = (flows) =>
    Promise.all(flows.map((flow) => flow())),
): Promise<void> {
  process.stdout.write(`${JSON.stringify({ pid: process.pid })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, amount] = line.split(" ");
    const start = performance.now();
    await work(works, word ?? "", Number(amount), all);
    const seconds = (performance.now() - start) / 1000;
    process.stdout.write(`${JSON.stringify({ operations: Number(amount), seconds })}\n`);
  }
}

async function work(
  { get, down, up }: Works,
  word: string,
  amount: number,
  all: (flows: readonly (() => Promise<void>)[]) => Promise<unknown>,
): Promise<void> {
  if (word === "get") {
    let left = amount;
    const flow = async (): Promise<void> => {
      while (left-- > 0) {
        const text = await get();
        if (text !== GREETING) throw new Error(`GET gave ${JSON.stringify(text)}`);
      }
    };
    await all(Array.from({ length: IN_FLIGHT }, () => flow));
  } else if (word === "down" && down !== undefined) {
    const bytes = await down();
    if (bytes !== amount) throw new Error(`${bytes} bytes came, ${amount} were wanted`);
  } else if (word === "up" && up !== undefined) {
    const answer = await up(amount);
    if (answer !== String(amount)) throw new Error(`the server counted ${answer} of ${amount}`);
  } else throw new Error(`no work is called ${word}`);
}
