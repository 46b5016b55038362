/** What tests of channels between threads let workers do. */
import process from "node:process";
import { moveOnAfter, sleepForever, taskGroup } from "../index.ts";
import {
  connectReceiveChannel,
  connectSendChannel,
  type ThreadReceiveChannel,
  type ThreadSendChannel,
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

/** As `double`, with ends that come as ports. */
export async function doublePorts(from: MessagePort, to: MessagePort): Promise<number> {
  using receiver = connectReceiveChannel<number>(from);
  using sender = connectSendChannel<number>(to);
  return await double({ from: receiver, to: sender });
}

/** Sends `count` items that say who sent them. */
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

/** All that it receives, with a time limit for each that is often too short. */
export async function consumeImpatiently(
  from: ThreadReceiveChannel<string>,
  patienceMs: number,
): Promise<string[]> {
  const got: string[] = [];
  for (;;) {
    const next = await moveOnAfter(patienceMs, async () => {
      try {
        return { item: await from.receive() };
      } catch (error) {
        return { end: (error as Error).name };
      }
    });
    if (next === undefined) continue;
    if ("end" in next) return got;
    got.push(next.item);
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

/** What the operation does: its value, or the name of the error. */
export async function attempt(
  end: Receiver | Sender,
  operation: "receive" | "receiveSync" | "send" | "sendSync",
  argument?: unknown,
): Promise<unknown> {
  try {
    const fn = (end as unknown as Record<string, (argument: unknown) => unknown>)[operation];
    return await fn?.call(end, argument);
  } catch (error) {
    return (error as Error).name;
  }
}

/** More waits at once than an end has places. */
export async function receiveMany(from: Receiver, count: number): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, () => from.receive()));
}

/** Holds an end, and tells so. */
export async function hold(end: Receiver | Sender, ready: Sender): Promise<void> {
  await taskGroup(async (group) => {
    group.startSoon(() => ("receive" in end ? end.receive() : sleepForever()));
    await ready.send(1);
  });
}

/** Gives the end on, to a thread that it does not know. */
export async function passOn(from: ThreadReceiveChannel<MessagePort>, to: Sender): Promise<string> {
  using receiver = connectReceiveChannel<number>(await from.receive());
  return `passed on ${await double({ from: receiver, to })}`;
}

export function exit(_end: unknown): never {
  process.exit(3);
}

export function closeAndReceive(from: Receiver): string {
  from.close();
  try {
    return String(from.receiveSync());
  } catch (error) {
    return (error as Error).name;
  }
}
