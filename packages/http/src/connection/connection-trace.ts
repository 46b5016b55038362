import { now } from "arborio";
import type { SocketAddress } from "arborio/net";
import type {
  RequestOutcome,
  ServerTrace,
  TracedConnection,
  TracedRequest,
} from "../ops/server-trace.ts";
import type { FieldList, RequestHead } from "../protocol/message.ts";
import type { Exchange } from "./exchange.ts";
import type { ServerConnection } from "./server-connection.ts";

/** Of a transport that has no addresses. */
const NO_ADDRESS: SocketAddress = { path: "" };

/** What was sent of a response. */
export interface SentFacts {
  readonly status: number;
  readonly sentFields: FieldList;
  readonly bodyBytes: number;
  /** Whether all of it was. */
  readonly isComplete: boolean;
  /** Whether its body failed. */
  readonly hasFailed: boolean;
}

function outcomeOf({ isComplete, hasFailed }: SentFacts, isGone: boolean): RequestOutcome {
  if (hasFailed) return "failed";
  if (isComplete) return "sent";
  return isGone ? "client-left" : "cut";
}

/** Calls the hooks of a server for one connection. There is none where there are no hooks. */
export class ConnectionTrace {
  readonly #hooks: ServerTrace;
  readonly #server: ServerConnection;
  readonly #connection: TracedConnection;
  #request: TracedRequest | null = null;

  constructor(hooks: ServerTrace, server: ServerConnection) {
    this.#hooks = hooks;
    this.#server = server;
    const { details } = server.wire;
    this.#connection = {
      peer: server.peer ?? NO_ADDRESS,
      local: details.localAddress ?? NO_ADDRESS,
      tls: details.tls,
      openedAt: now(),
    };
    this.#call(() => hooks.connectionOpen?.(this.#connection));
  }

  closed(): void {
    this.#call(() => this.#hooks.connectionClose?.(this.#connection));
  }

  requestStart(head: RequestHead | null): void {
    const scheme = this.#connection.tls === undefined ? "http" : "https";
    const request = { connection: this.#connection, scheme, head, startedAt: now() } as const;
    this.#request = request;
    this.#call(() => this.#hooks.requestStart?.(request));
  }

  requestError(error: unknown, exchange: Exchange | null): void {
    const request = this.#request;
    if (request !== null) this.#call(() => this.#hooks.requestError?.(request, error), exchange);
  }

  requestEnd(sent: SentFacts, isGone: boolean, isUpgraded: boolean): void {
    const request = this.#request;
    this.#request = null;
    if (request === null) return;
    const outcome = isUpgraded ? "upgraded" : outcomeOf(sent, isGone);
    const { status, sentFields: fields, bodyBytes } = sent;
    const end = { outcome, status, fields, bodyBytes, endedAt: now() };
    this.#call(() => this.#hooks.requestEnd?.(request, end));
  }

  /** A hook changes nothing for who calls it; nor does one that is async, against what it is to be. */
  #call(hook: () => unknown, exchange: Exchange | null = null): void {
    const failed = (error: unknown): void => this.#server.core.report(error, exchange);
    try {
      const result = hook();
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
