import type { ChannelStatistics } from "../sync/channel-state.ts";
import type { MessagePortLike } from "../platform/threads.ts";

/** What all ends do, wherever they are. */
interface End {
  /** One more end of this kind, behind a port that is for another thread. Throws if this one is closed. */
  share(where: string): MessagePortLike;
  close(): void;
  statistics(where: string): ChannelStatistics;
}

/** A sending end: in the loop that the channel lives in, or in another thread. */
export interface SendEnd extends End {
  send(item: unknown, transfer: readonly object[]): Promise<void>;
  sendSync(item: unknown, transfer: readonly object[], timeoutMs: number): void;
  clone(): SendEnd;
}

/** A receiving end: in the loop that the channel lives in, or in another thread. */
export interface ReceiveEnd extends End {
  /** Iterating, it resolves to what an iterator gives, and the end of the channel is no error. */
  receive(iterating: boolean): Promise<unknown>;
  receiveSync(timeoutMs: number): unknown;
  clone(): ReceiveEnd;
}

/** What an iterator gives at the end. */
export const ITERATION_END: IteratorReturnResult<undefined> = Object.freeze({
  done: true,
  value: undefined,
});

/** What a receiver gets. */
export function received(item: unknown, iterating: boolean): unknown {
  return iterating ? { done: false, value: item } : item;
}
