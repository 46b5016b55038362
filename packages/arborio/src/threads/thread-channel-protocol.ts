/**
 * What the two sides of a channel's end say to each other: the end in another thread, and the loop in which the channel lives.
 *
 * Who may withdraw an operation, and who has done it, must be decided at one place, although the two sides run at the same time: that is a
 * word of shared memory for each operation under way. Its home takes an operation by changing the word from `PENDING` to `TAKEN`; who
 * started it withdraws it by changing it to `WITHDRAWN`. Only one of them can succeed. So a cancelled wait ends at once, although the home
 * is busy, and an item is never both handed over and put back.
 *
 * Every message from afar is about an operation that has a place of its own, and there are only `PLACES` of them; that is what bounds the
 * messages under way.
 */

import type { Passport } from "./passport.ts";

/** Says that a port belongs to a channel. */
export const CHANNEL_PORT = "arborio.thread-channel.v1";

/** Operations that one end in another thread can have under way; further ones wait there. Enough for a loop's tasks, small enough to be made with each end. */
export const PLACES = 64;

/** States of a place. */
export const FREE = 0;
export const PENDING = 1;
export const TAKEN = 2;
export const WITHDRAWN = 3;

/** Which half of a channel. */
export type ChannelHalf = "send" | "receive";

/** An item on its way, with what changes hands with it. */
export interface Parcel {
  readonly item: unknown;
  readonly transfer: readonly object[];
}

/** What waits in the port of an end when it comes to its thread. */
export interface EndPassport extends Passport {
  readonly kind: typeof CHANNEL_PORT;
  readonly half: ChannelHalf;
  /** The thread that the channel lives in. */
  readonly home: string;
}

/** From an end in another thread to the home of its channel. */
export type ToHome =
  /** First of all: the words of its operations, and the bell of its thread. */
  | readonly [kind: "here", places: Int32Array, bell: Int32Array]
  | readonly [kind: "send", place: number, parcel: Parcel]
  | readonly [kind: "receive", place: number]
  /** The operation was withdrawn. Its place is free when the home has answered. */
  | readonly [kind: "withdrawn", place: number]
  /** There is one more end of this kind, behind this port. */
  | readonly [kind: "clone", port: object]
  /** The end is closed. */
  | readonly [kind: "close"];

/** From the home of a channel to an end in another thread. */
export type FromHome =
  /** The item was accepted. */
  | readonly [kind: "sent", place: number]
  | readonly [kind: "item", place: number, parcel: Parcel]
  /** No senders, and no items, are left. */
  | readonly [kind: "end", place: number]
  /** No receivers are left. */
  | readonly [kind: "broken", place: number]
  /** The item was lost on its way, since it cannot be cloned after all. */
  | readonly [kind: "lost", place: number, why: string]
  /** The operation was taken for a moment, in vain: whoever was on the other side had withdrawn. It waits on, and can be withdrawn again. */
  | readonly [kind: "waits", place: number]
  /** The place of a withdrawn operation is free. */
  | readonly [kind: "free", place: number];

/** An end that goes to a worker with a call: the argument at `index`, or what this has under `key`. */
export interface SentEnd {
  readonly index: number;
  readonly key: string | undefined;
  readonly half: ChannelHalf;
  readonly port: object;
}
