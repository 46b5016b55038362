/** What tests of channels between threads let workers do. */
import process from "node:process";
import { moveOnAfter, sleep } from "../index.ts";
import {
  connectReceiveChannel,
  connectSendChannel,
  createThreadChannel,
  type ThreadReceiveChannel,
  type ThreadSendChannel,
  transferred,
} from "../threads.ts";

type Receiver = ThreadReceiveChannel<number>;
type Sender = ThreadSendChannel<number>;

/** Sends what it receives, doubled. */
export async function double({ from, to }: { from: Receiver; to: Sender }): Promise<number> {
  let count = 0;
  for await (const n of from) {
    await to.send(2 * n);
    count++;
  }
  return count;
}

/** As `double`, blocking its thread. */
export function doubleSync({ from, to }: { from: Receiver; to: Sender }): string {
  try {
    for (;;) to.sendSync(2 * from.receiveSync());
  } catch (error) {
    return (error as Error).name;
  }
}

/** As `double`, with ends that come as ports in items. */
export async function doublePorts(ports: ThreadReceiveChannel<MessagePort>): Promise<number> {
  using from = connectReceiveChannel<number>(await ports.receive());
  using to = connectSendChannel<number>(await ports.receive());
  return await double({ from, to });
}

/** Sends items that say who sent them. */
export async function produce(
  to: ThreadSendChannel<string>,
  who: string,
  count: number,
): Promise<void> {
  for (let n = 0; n < count; n++) await to.send(`${who} ${n}`);
}

export function produceSync(to: ThreadSendChannel<string>, who: string, count: number): void {
  for (let n = 0; n < count; n++) to.sendSync(`${who} ${n}`);
}

/** Sends each item again and again, with a time limit that is often too short, until it is sent. */
export async function produceImpatiently(
  to: ThreadSendChannel<string>,
  who: string,
  count: number,
): Promise<number> {
  let failures = 0;
  for (let n = 0; n < count;) {
    const sent = await moveOnAfter(n % 3 === 0 ? 0.2 : 5, async () => {
      await to.send(`${who} ${n}`);
      return true;
    });
    if (sent === true) n++;
    else failures++;
  }
  return failures;
}

export async function consume(from: ThreadReceiveChannel<string>): Promise<string[]> {
  const got: string[] = [];
  for await (const item of from) got.push(item);
  return got;
}

/** Receives so many at most. */
export async function consumeSome(
  from: ThreadReceiveChannel<string>,
  count: number,
): Promise<string[]> {
  const got: string[] = [];
  if (count === 0) return got;
  for await (const item of from) {
    got.push(item);
    if (got.length === count) break;
  }
  return got;
}

/** Receives with a time limit that is often too short. */
export async function consumeImpatiently(from: ThreadReceiveChannel<string>): Promise<string[]> {
  const got: string[] = [];
  for (let round = 0; ; round++) {
    const next = await moveOnAfter(round % 3 === 0 ? 0.2 : 5, async () => {
      const { done, value } = await from[Symbol.asyncIterator]().next();
      return { done, value };
    });
    if (next?.done === true) return got;
    if (next?.value !== undefined) got.push(next.value);
  }
}

export function consumeSync(from: ThreadReceiveChannel<string>): string[] {
  const got: string[] = [];
  try {
    for (;;) got.push(from.receiveSync());
  } catch {
    return got;
  }
}

/** As `consumeSync`, with time limits that are often too short. */
export function consumeSyncImpatiently(from: ThreadReceiveChannel<string>): string[] {
  const got: string[] = [];
  for (let round = 0; ; round++) {
    try {
      got.push(from.receiveSync({ timeoutMs: round % 3 === 0 ? 0.02 : 5 }));
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") return got;
    }
  }
}

/** What an operation does: its value, or the name of the error. */
export async function attempt(
  end: Receiver | Sender,
  operation: string,
  ...args: readonly unknown[]
): Promise<unknown> {
  try {
    const fn = (end as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[
      operation
    ];
    return await fn?.call(end, ...args);
  } catch (error) {
    return (error as Error).name;
  }
}

/** What happens to a wait when its end is closed. */
export async function closeWhileWaiting(end: Receiver | Sender): Promise<string[]> {
  const waits = [0, 1].map(async () => {
    try {
      await ("receive" in end ? end.receive() : end.send(1));
      return "ended";
    } catch (error) {
      return (error as Error).name;
    }
  });
  await sleep(20);
  end.close();
  end.close();
  const after = await attempt(end, "receive" in end ? "receive" : "send", 1);
  return [...(await Promise.all(waits)), String(after)];
}

/** More waits at once than an end has places. */
export async function receiveMany(from: Receiver, count: number): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, () => from.receive()));
}

/** Waits to receive, and blocks its thread until it ends it: what is sent to it does not arrive. */
export function dieWaiting(from: Receiver, ready: Sender, word: Int32Array): never {
  void from.receive().catch(() => {});
  ready.sendSync(1);
  Atomics.wait(word, 0, 0);
  process.exit(3);
}

export function die(): never {
  process.exit(3);
}

/** Keeps a clone over the end of the call, until the next. */
let kept: Receiver | undefined;

export function keep(from: Receiver): void {
  kept = from.clone();
}

export async function useKept(): Promise<number | undefined> {
  const item = await kept?.receive();
  kept?.close();
  return item;
}

export async function sendUncloneable(to: ThreadSendChannel<unknown>): Promise<unknown[]> {
  const results: unknown[] = [await attempt(to as Sender, "send", () => {})];
  results.push(await attempt(to as Sender, "sendSync", { deep: () => {} }));
  results.push(await attempt(to as Sender, "send", to));
  await to.send("fine");
  return results;
}

export async function sendBytes(to: ThreadSendChannel<Uint8Array<ArrayBuffer>>): Promise<number[]> {
  const bytes = new Uint8Array([1, 2, 3]);
  await to.send(bytes);
  const before = bytes.length;
  await to.send(bytes, { transfer: [bytes.buffer] });
  return [before, bytes.length];
}

/** Receives, blocking, until it is cancelled. */
export function receiveSyncForever(from: Receiver, ready: Sender): void {
  ready.sendSync(1);
  from.receiveSync();
}

/** Makes a channel that lives in this thread. */
export function make(): MessagePort {
  const [sender, receiver] = createThreadChannel<number>(1);
  sender.sendSync(1);
  const port = receiver.handOver();
  return transferred(port, [port]);
}
