/**
 * What a program and its workers say to each other, over any `Threads`. Arrays, since a clone of one costs less than that of an object
 * with names. A worker does one call at a time; numbers of calls are the worker's own.
 */
import type { SentEnd } from "./thread-channel-protocol.ts";
import type { ThrownForm } from "./thrown-form.ts";

/** From the program to a worker. */
export type ToWorker =
  /** Calls an export of a module. `extra` is for what else belongs to the call; `ends` are those of channels among the arguments. */
  | readonly [
      kind: "call",
      id: number,
      module: string,
      exportName: string,
      args: readonly unknown[],
      extra?: unknown,
      ends?: readonly SentEnd[] | undefined,
    ]
  /** Nobody wants the result of this call any more. */
  | readonly [kind: "cancel", id: number]
  /** For the call itself: see `WorkerCall.onTold`. */
  | readonly [kind: "tell", id: number, payload: unknown];

/**
 * From a worker to the program. The first three end the call. Numbered, since a message that is received without the event loop may overtake
 * one that is on its way through it (Deno).
 */
export type FromWorker =
  | readonly [kind: "value", id: number, value: unknown, number: number]
  | readonly [kind: "thrown", id: number, thrown: ThrownForm, number: number]
  /** It was cut short by its cancellation. */
  | readonly [kind: "cancelled", id: number, nothing: undefined, number: number]
  /** From the call itself: see `CallExtension`. */
  | readonly [kind: "tell", id: number, payload: unknown, number: number];

/** What a worker is started with. */
export interface WorkerStart {
  /** Memory that both sides see; a process has none. */
  readonly flags: Int32Array | undefined;
}

/** Where in `flags`: how many messages were posted to the worker. It sleeps on this one. */
export const POSTED = 0;
/** Where in `flags`: the number of the call that was cancelled last. */
export const CANCELLED = 1;
/** Where in `flags`: how many calls the worker has answered. */
export const ANSWERED = 2;
/** How many there are. */
export const FLAG_COUNT = 3;
/** Numbers of calls begin anew after this one: flags hold no more. */
export const CALL_ID_MAX: number = 2 ** 31 - 1;
