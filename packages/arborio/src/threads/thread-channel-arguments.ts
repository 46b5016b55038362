/** Ends of channels among the arguments of a call: on their way they are ports. */
import type { MessagePortLike } from "../platform/threads.ts";
import {
  openRemoteEnd,
  type RemoteReceiveEnd,
  type RemoteSendEnd,
} from "./thread-channel-remote.ts";
import type { ChannelHalf, SentEnd } from "./thread-channel-protocol.ts";
import { ThreadReceiveChannel, ThreadSendChannel } from "./thread-channel.ts";

/** Arguments as they are sent. */
export interface SentArguments {
  readonly args: readonly unknown[];
  /** What changes hands because of the ends. */
  readonly ports: readonly object[];
  /** `undefined` if there are none. */
  readonly ends: readonly SentEnd[] | undefined;
  /** They were sent: the ends are closed here. */
  sent(): void;
  /** They could not be sent: everything is as before. */
  failed(): void;
}

type AnyEnd = ThreadSendChannel<unknown> | ThreadReceiveChannel<unknown>;

/** Takes the ends out of `args`: arguments themselves, and properties of arguments that are plain objects. */
export function sendEnds(
  where: string,
  to: "thread" | "process",
  args: readonly unknown[],
): SentArguments {
  const found = findEnds(args);
  const [first] = found;
  if (first === undefined) return { args, ports: [], ends: undefined, sent() {}, failed() {} };
  if (to === "process") {
    throw new TypeError(
      `${where}: the argument at index ${first.index} cannot be sent: the end of a channel can go to a thread, not to a process`,
    );
  }
  const copies = args.map((arg) => (isPlain(arg) ? { ...arg } : arg));
  const ends: SentEnd[] = [];
  const shared: MessagePortLike[] = [];
  const failed = (): void => {
    for (const port of shared) port.close();
  };
  try {
    for (const { index, key, end } of found) {
      const port = end.share(where);
      shared.push(port);
      put(copies, index, key, undefined);
      const half: ChannelHalf = end instanceof ThreadSendChannel ? "send" : "receive";
      ends.push({ index, key, half, port: port.native });
    }
  } catch (error) {
    // One of them is closed. What the others have shared would keep their channels open for ever.
    failed();
    throw error;
  }
  return {
    args: copies,
    ports: ends.map(({ port }) => port),
    ends,
    sent() {
      for (const { end } of found) end.close();
    },
    failed,
  };
}

/** Arguments as they came to the worker. */
export interface ReceivedArguments {
  readonly args: readonly unknown[];
  /** The call has ended, or will not begin: the ends are closed, since the worker lives on. */
  close(): void;
}

/** Puts the ends into `args`, in the worker. */
export function receiveEnds(
  where: string,
  args: readonly unknown[],
  ends: readonly SentEnd[],
): ReceivedArguments {
  const received = [...args];
  const opened: AnyEnd[] = [];
  for (const { index, key, half, port } of ends) {
    const remote = openRemoteEnd(where, half, port);
    const end =
      half === "send"
        ? new ThreadSendChannel(remote as RemoteSendEnd)
        : new ThreadReceiveChannel(remote as RemoteReceiveEnd);
    opened.push(end);
    put(received, index, key, end);
  }
  return {
    args: received,
    close() {
      for (const end of opened) end.close();
    },
  };
}

function findEnds(
  args: readonly unknown[],
): { readonly index: number; readonly key: string | undefined; readonly end: AnyEnd }[] {
  const found: { index: number; key: string | undefined; end: AnyEnd }[] = [];
  for (const [index, arg] of args.entries()) {
    if (isEnd(arg)) found.push({ index, key: undefined, end: arg });
    else if (isPlain(arg))
      for (const [key, value] of Object.entries(arg))
        if (isEnd(value)) found.push({ index, key, end: value });
  }
  return found;
}

function isEnd(value: unknown): value is AnyEnd {
  return value instanceof ThreadSendChannel || value instanceof ThreadReceiveChannel;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function put(args: unknown[], index: number, key: string | undefined, value: unknown): void {
  if (key === undefined) args[index] = value;
  else (args[index] as Record<string, unknown>)[key] = value;
}
