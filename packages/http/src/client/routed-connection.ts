import type { Wire } from "arborio/lowlevel";
import { ClientConnection } from "../connection/client-connection.ts";
import type { ClientCore } from "../connection/client-core.ts";
import type { IncomingBody } from "../connection/incoming-body.ts";
import { parseKeepAlive } from "../protocol/keep-alive-field.ts";
import { firstField } from "../web/field-names.ts";
import type { ClientRequest } from "./client-request.ts";

/**
 * So much sooner than a server says that it ends a connection, in milliseconds, it is not used any more: what is sent then must still find the
 * server there. Covers the way there and clocks that differ.
 */
const HINT_MARGIN_MS = 1000;

/** So long, in milliseconds, nobody asks for more of a response before that is taken for an oversight: who reads comes back much sooner. */
const UNREAD_MS = 10_000;

/** What a `RoutedConnection` is made with. */
export interface RoutedConnectionOptions {
  readonly key: string;
  readonly idleMs: number;
  readonly onUnread: (connection: RoutedConnection) => void;
}

/** A connection that knows which ones of a pool it belongs to, and how long the server keeps it. */
export class RoutedConnection extends ClientConnection {
  readonly key: string;
  /** Whether the pool has it. Not while it is being constructed. */
  readonly isPooled: boolean = true;
  /** Told when the task ends that may have forgotten a response. */
  forgotten: Disposable | null = null;
  /** What the response answers that may be forgotten. */
  answered: ClientRequest | null = null;
  /** How long it may be idle, in milliseconds, by the request that it carried last. */
  idleMs: number;
  /** Likewise, by the server; and how many requests it takes. */
  #hintMs = Infinity;
  #requestsMax = Infinity;
  /** What it said last: as a rule it says the same again. */
  #hint: string | null = null;
  /** Called again and again while nobody reads the response that is here. */
  readonly #onUnread: (connection: RoutedConnection) => void;
  /** What the last sweeps have seen of it, and since when. */
  #seenBody: IncomingBody | null = null;
  #seenBytes = 0;
  #seenSince = 0;

  constructor(wire: Wire, core: ClientCore, { key, idleMs, onUnread }: RoutedConnectionOptions) {
    super(wire, core);
    this.key = key;
    this.idleMs = idleMs;
    this.#onUnread = onUnread;
  }

  /** The exchange is over: for how long, in milliseconds, it may be kept; 0: not at all. */
  restMs(): number {
    const { head, requests } = this;
    const hint = head === null ? null : firstField(head.fields, "keep-alive");
    if (hint !== null && hint !== this.#hint) this.#heed(hint);
    // A 408 answers nothing that was asked, as a rule: it would be taken for the answer to what is sent next.
    if (requests >= this.#requestsMax || head?.status === 408) return 0;
    return Math.min(this.idleMs, this.#hintMs);
  }

  #heed(hint: string): void {
    this.#hint = hint;
    const { timeoutMs, requestsMax } = parseKeepAlive(hint);
    if (timeoutMs !== null) this.#hintMs = Math.max(0, timeoutMs - HINT_MARGIN_MS);
    // More, after this one: some servers count down, others say always how many there are in all.
    if (requestsMax !== null)
      this.#requestsMax = Math.min(this.#requestsMax, this.requests + requestsMax);
  }

  override sweep(now: number): void {
    if (now >= this.idleUntil && this.isReusable) return this.close();
    super.sweep(now);
    const { body } = this;
    const isRead = this.awaited.what === "body" || body?.bytesReceived !== this.#seenBytes;
    if (body === null || body !== this.#seenBody || isRead) {
      this.#seenBody = body;
      this.#seenBytes = body?.bytesReceived ?? 0;
      this.#seenSince = now;
    } else if (now - this.#seenSince >= UNREAD_MS) this.#onUnread(this);
  }

  /** There is no response any more that could be forgotten. */
  remember(): void {
    this.forgotten?.[Symbol.dispose]();
    this.forgotten = null;
    this.answered = null;
  }
}
